"""Where styles are: those that come with the package, and the user's own. No file is read."""

from __future__ import annotations

import logging
from pathlib import Path

from platformdirs import user_data_path

from stylize_live.wording import is_plain

log = logging.getLogger(__name__)

WEIGHTS = Path(__file__).parent / "weights"
BASE = WEIGHTS / "base.safetensors"


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
