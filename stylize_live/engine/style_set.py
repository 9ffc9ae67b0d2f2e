"""The weights of a timeline's styles, and how bold each of them is."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from stylize_live.engine.style_loading import load_style
from stylize_live.engine.timeline import Timeline
from stylize_live.errors import StyleError
from stylize_live.nets.catalogue import style_path, style_shares
from stylize_live.nets.checkpoint import Checkpoint
from stylize_live.options import DEFAULT_BOLDNESS
from stylize_live.wording import option

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class StyleSet:
    """A timeline and the weights of its styles, all of one architecture."""

    timeline: Timeline
    checkpoints: tuple[Checkpoint, ...]

    @classmethod
    def load(cls, text: str, crossfade: float) -> StyleSet:
        """Read what a style's text names. Raises `StyleError`."""
        timeline = Timeline.parse(text, crossfade)
        checkpoints = tuple(load_style(style) for style in timeline.styles)
        if len({checkpoint.architecture for checkpoint in checkpoints}) > 1:
            raise StyleError(f"{text}: cannot be in one timeline, their networks differ")
        return cls(timeline, checkpoints)

    def at(self, boldness: float) -> StyleSet:
        """The same styles at this boldness, where the timeline does not say another. Raises `UsageError`."""
        own = self.timeline.boldness
        pairs = zip(self.checkpoints, own, strict=True)
        return replace(
            self, checkpoints=tuple(one.at(boldness if said is None else said) for one, said in pairs)
        )

    @property
    def has_boldness(self) -> bool:
        """Whether `at` makes a difference."""
        pairs = zip(self.checkpoints, self.timeline.boldness, strict=True)
        return any(one.faithful is not None and said is None for one, said in pairs)

    def warn_without_boldness(self, boldness: float) -> None:
        """Log which styles are asked for a boldness that makes no difference to them."""
        asked = [boldness if said is None else said for said in self.timeline.boldness]
        pairs = zip(self.checkpoints, asked, strict=True)
        alike = [one.info.name for one, much in pairs if one.faithful is None and much != DEFAULT_BOLDNESS]
        if alike:
            _warn_once(", ".join(dict.fromkeys(alike)))


@contextmanager
def naming_option(name: str) -> Iterator[None]:
    """Have a `StyleError` say for which option the style was named."""
    try:
        yield
    except StyleError as error:
        raise StyleError(f"{option(name)}: {error}") from error


def check_style(text: str) -> None:
    """See that every style which a text names has a name that is known; no file is opened.

    Raises:
        StyleError: a name is unknown, or the text is no blend and no timeline.
    """
    style_files(text)


def style_files(text: str) -> dict[str, Path]:
    """The files of all styles that a text names, by these names. Raises as `check_style` does."""
    styles = Timeline.parse(text).styles
    return {name: style_path(name) for style in styles for name in style_shares(style)}


@cache
def _warn_once(names: str) -> None:
    """Logged once, however many stylizers a command makes."""
    log.warning("%s: boldness makes no difference", names)
