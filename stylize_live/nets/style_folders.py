"""Where styles are: those that come with the package, and the user's own. No file is read."""

from __future__ import annotations

import logging
from pathlib import Path

from platformdirs import user_data_path

from stylize_live.files import slug
from stylize_live.system.names import is_reserved
from stylize_live.wording import is_plain

log = logging.getLogger(__name__)

WEIGHTS = Path(__file__).parent / "weights"
BASE = WEIGHTS / "base.safetensors"
# Bytes of a style's name. File systems take 255, and the longest file beside it ends in this.
LONGEST_NAME = 255 - len(".state.safetensors")


def shipped_names() -> list[str]:
    """Names of the styles that come with the package, sorted."""
    return sorted(path.stem for path in WEIGHTS.glob("*.safetensors") if path != BASE)


def own_folder() -> Path:
    """Where the user's own styles are found by name; `train` writes there. It may not exist yet."""
    return user_data_path("stylize-live", appauthor=False) / "styles"


def own_files() -> list[Path]:
    """Files in there that may be styles, sorted. Without states of unfinished training runs, names of shipped
    styles, and names that cannot be shown. Empty if the folder cannot be read."""
    taken = {*shipped_names(), BASE.stem}
    try:
        found = [path for path in own_folder().glob("[!.]*.safetensors") if path.stem not in taken]
    except OSError as error:
        log.warning("own styles left out: %s: %s", own_folder(), error.strerror)
        return []
    return sorted(
        path for path in found if is_plain(path.name) and not path.name.endswith(".state.safetensors")
    )


def taken_names() -> set[str]:
    """Names that no style of the user's own can have."""
    return {*shipped_names(), BASE.stem, "scratch"}


def style_name(text: str) -> str:
    """A file name or title as the name of a style: small letters, digits and hyphens.

    It begins with a letter, because in a timeline digits are times. It is cut to what the names of its
    files can hold, and is the name of no device on Windows, such as con. May be empty.
    """
    word = slug(text.lower().replace("_", " "), keep="", gap="-").strip("-")
    word = f"style-{word}" if word[:1].isdigit() or is_reserved(word) else word
    return word.encode()[:LONGEST_NAME].decode(errors="ignore").rstrip("-")
