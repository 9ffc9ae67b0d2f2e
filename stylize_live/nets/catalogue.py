"""The styles that come with the package, those of the user, and which files words mean."""

from __future__ import annotations

import difflib
import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from stylize_live.errors import StyleError
from stylize_live.files import is_file, path_of
from stylize_live.naming import is_painting, is_style_file
from stylize_live.nets.checkpoint import load_checkpoint
from stylize_live.nets.style_folders import WEIGHTS, own_files, own_folder, shipped_names

# Of a style in a blend, before they are brought to a sum of 1; beyond, sums lose what is small.
_LEAST_SHARE, _MOST_SHARE = 1e-6, 1e6

log = logging.getLogger(__name__)

_lent: dict[str, Path] = {}


@contextmanager
def lent_styles(files: Mapping[str, Path]) -> Iterator[None]:
    """Names and paths lead to these files meanwhile, in all threads: they are another machine's."""
    _lent.update(files)
    try:
        yield
    finally:
        for name in files:
            del _lent[name]


def style_names() -> list[str]:
    """Names of all styles: the shipped ones, then the user's own, each sorted."""
    return shipped_names() + own_names()


def own_names() -> list[str]:
    """Names of the user's own styles, sorted; without files that have a shipped name or are no style."""
    return [path.stem for path in own_files() if _is_style(path)]


def _is_style(path: Path) -> bool:
    """Whether a file can be painted with; weights are read, too: what is offered works. 3 ms for each."""
    try:
        load_checkpoint(path)
    except StyleError as error:
        log.warning("style left out: %s", error)
        return False
    return True


def style_path(text: str) -> Path:
    """The file of a style's name, or of a path: a style's or a painting's.

    Raises:
        StyleError: no style has that name; the nearest names are given. Or its training was killed.
    """
    if text in _lent:
        return _lent[text]
    if text.endswith(".safetensors") or "/" in text or "\\" in text:
        path = path_of(text)
        _check_not_begun(path)
        return path
    if text in shipped_names():
        return WEIGHTS / f"{text}.safetensors"
    own = own_folder() / f"{text}.safetensors"
    if is_file(own):
        return own
    if is_painting(text):
        return path_of(text)
    _check_not_begun(own)
    names = style_names()
    near = difflib.get_close_matches(text, names, 3, 0.4)
    hint = f"did you mean {' or '.join(near)}?" if near else f"there are: {', '.join(names)}"
    raise StyleError(f"unknown style {text!r}: {hint}")


def _check_not_begun(path: Path) -> None:
    """Explain a style that is not there because its training was killed."""
    begun = path.with_suffix(".state.safetensors")
    if path.suffix == ".safetensors" and not is_file(path) and is_file(begun):
        raise StyleError(
            f"{style_word(path)}: no style yet, its training goes on or was killed: the same "
            "`stylize-live train` command resumes it, and writes the style at its end or when Ctrl-C stops it"
        )


def style_word(path: Path) -> str:
    """What to write after --style for a file: its name if it is one of the user's own, else its path."""
    named = path.parent == own_folder() and path.stem not in shipped_names()
    return path.stem if named else str(path)


def style_shares(text: str) -> dict[str, float]:
    """The styles that a blend's text names, and their shares; of any other text, itself.

    Raises:
        StyleError: a share is no positive number.
    """
    # A file may have a comma in its path, too.
    if "," not in text or (is_style_file(text) and is_file(Path(text))):
        return {text: 1.0}
    shares: dict[str, float] = {}
    for part in text.split(","):
        name, number = _split_share(part.strip())
        try:
            share = float(number)
        except ValueError:
            share = -1.0
        if not _LEAST_SHARE <= share <= _MOST_SHARE:
            raise StyleError(f"blend {text!r}: {part.strip()!r} needs a positive share, like great-wave:0.4")
        shares[name] = share
    return shares


def _split_share(part: str) -> tuple[str, str]:
    """A style of a blend and its share, "1" if none is written; the colon of C:\\my.safetensors is none."""
    name, colon, number = part.rpartition(":")
    is_path = is_style_file(number) or (len(name) == 1 and number.startswith(("/", "\\")))
    return (name, number) if colon and not is_path else (part, "1")
