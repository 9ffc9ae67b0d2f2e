"""Frame in, painted frame out."""

from stylize_live.engine.stylizer import Stylizer

__all__ = ["Stylizer"]
