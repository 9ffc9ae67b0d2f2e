"""Tags of files and streams: which of them stay true, and which a format can hold."""

from __future__ import annotations

import codecs
from collections.abc import Iterable, Mapping

TAG_ERRORS = "windows-1252"  # how PyAV reads what is not UTF-8

# Tags that describe the old file and would be wrong about the new one.
_STALE = {
    "major_brand",
    "minor_version",
    "compatible_brands",
    "encoder",
    "software",
    "duration",
    "rotate",
    "bps",
}
_STALE |= {"number_of_frames", "number_of_bytes", "vendor_id", "statistics_tags"}
_STALE |= {"statistics_writing_app", "statistics_writing_date_utc"}
# Of Flash videos: FFmpeg takes whatever their header says of the file for tags.
_STALE |= {"hasvideo", "hasaudio", "haskeyframes", "hasmetadata", "hascuepoints", "canseektoend", "datasize"}
_STALE |= {"videosize", "audiosize", "lasttimestamp", "lastkeyframetimestamp", "lastkeyframelocation"}
_STALE |= {"totalframes", "totalduration", "filesize", "bytelength", "metadatacreator", "metadatadate"}
# What FFmpeg writes where iTunes and QuickTime players look for it; measured by reading it back.
_COMMON = {"title", "artist", "album", "comment", "date", "genre", "copyright", "location", "creation_time"}
_ITUNES = {"description", "synopsis", "show", "track", "disc", "lyrics", "keywords", "album_artist"}
_ITUNES |= {"composer", "grouping", "episode_id", "season_number", "episode_sort", "media_type"}
_ITUNES |= {"hd_video", "gapless_playback", "network", "compilation"}
_HELD = {"mov": _COMMON | {"make", "model"}, "mp4": _COMMON | _ITUNES}
# QuickTime knows languages by a list of its own, in which some have the other of their two codes.
_QUICKTIME_LANGUAGES = {"fre": "fra", "deu": "ger", "nld": "dut", "swe": "sve", "ell": "gre", "isl": "ice"}
_QUICKTIME_LANGUAGES |= {"zho": "chi", "fas": "per", "sqi": "alb", "rum": "ron", "cze": "ces", "slo": "slk"}
_QUICKTIME_LANGUAGES |= {"mkd": "mac", "hye": "arm", "kat": "geo", "mya": "bur", "msa": "may", "cym": "wel"}
_QUICKTIME_LANGUAGES |= {"eus": "baq", "bod": "tib"}
# Written into the video's stream as a track of its own.
_ELSEWHERE = {"timecode", "language", "handler_name"}


def lasting_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Tags that are as true of the new file as of the old one."""
    return {key: value for key, value in tags.items() if _bare(key) not in _STALE}


def stream_tags(tags: Mapping[str, str], format_name: str) -> dict[str, str]:
    """Tags for a stream of another file, under the names that its format writes."""
    kept = lasting_tags(tags)
    if "name" in kept:  # MP4 reads what it wrote as "title" under this name
        kept.setdefault("title", kept.pop("name"))
    if format_name == "mov" and "language" in kept:
        kept["language"] = _QUICKTIME_LANGUAGES.get(kept["language"], kept["language"])
    return kept


def wants_phone_tags(tags: Iterable[str], format_name: str) -> bool:
    """Whether an MP4 or MOV file should hold its tags under their full names, as telephones write them.

    Such a file keeps every tag, but only some players find the title in it; so it is done where the
    source did it.
    """
    return format_name in _HELD and any(tag.lower().startswith("com.") for tag in tags)


def lost_tags(tags: Iterable[str], format_name: str) -> list[str]:
    """Names of tags that this format has no place for."""
    tags = list(tags)
    held = _HELD.get(format_name)
    if held is None or wants_phone_tags(tags, format_name):
        return []
    return sorted(tag for tag in tags if _bare(tag) not in held | _ELSEWHERE)


def _bare(key: str) -> str:
    """A tag's name without a language behind it ("BPS-eng") and without leading underscores."""
    key = key.lower().lstrip("_")
    return key[:-4] if key[-4:-3] == "-" else key


def _as_windows(error: UnicodeError) -> tuple[str, int]:
    """Old programs, above all those that make .avi, write tags in Windows' alphabet of western Europe."""
    if isinstance(error, UnicodeDecodeError):
        return error.object[error.start : error.end].decode("cp1252", "replace"), error.end
    if isinstance(error, UnicodeEncodeError):
        return "?" * (error.end - error.start), error.end
    raise error


codecs.register_error(TAG_ERRORS, _as_windows)
