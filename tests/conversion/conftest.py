"""What tests of conversions that end too early share."""

from short_videos import short_segments, source

__all__ = ["short_segments", "source"]
