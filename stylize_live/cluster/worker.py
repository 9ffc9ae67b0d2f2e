"""One worker of a cluster: a stylizer that stays warm, and what it says of itself."""

from __future__ import annotations

import math
import platform
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from stylize_live import __version__
from stylize_live.backgrounds import parse_background
from stylize_live.config import ConvertSettings
from stylize_live.conversion.progress import ConvertProgress
from stylize_live.conversion.sound import fingerprints_of, followed_styles
from stylize_live.conversion.stylizers import (
    Fingerprints,
    FrameStylizer,
    adds_alpha,
    arithmetic_of,
    paint_as,
    takes_surfaces,
)
from stylize_live.conversion.unit import PaintedSegment, SegmentPart, Unit, UnitEnd, paint_unit
from stylize_live.engine import Stylizer
from stylize_live.engine.cpu.features import instruction_set
from stylize_live.engine.first_look.first_look import look_at
from stylize_live.engine.style_set import style_files
from stylize_live.errors import StyleError
from stylize_live.file_locks import scratch_folder
from stylize_live.lifecycle import Closeable
from stylize_live.media.libraries import codec_versions
from stylize_live.naming import is_painting
from stylize_live.nets import catalogue
from stylize_live.nets.style_folders import WEIGHTS
from stylize_live.storage.fetching import remove_copies
from stylize_live.storage.places import StorageUrl
from stylize_live.system.clock import monotonic
from stylize_live.wording import option

OpenStylizer = Callable[[ConvertSettings], AbstractContextManager[FrameStylizer]]


@dataclass(frozen=True, slots=True)
class WorkerFacts:
    """What all workers of one conversion must have in common, and where one is.

    Attributes:
        machine: its name on the network.
        versions: of what decodes, paints and encodes, by name.
        arithmetic: how it computes.
        fingerprints: of its stylizer, by arithmetic, see `FrameStylizer`.
        takes_surfaces: see `SurfaceStylizer`.
        adds_alpha: see `AddsAlpha`.
        instructions: of its processor, in words.
    """

    machine: str
    versions: dict[str, str]
    arithmetic: str
    fingerprints: dict[str, Fingerprints]
    takes_surfaces: bool
    adds_alpha: bool
    instructions: str


def open_stylizer(settings: ConvertSettings) -> Stylizer:
    """The stylizer that settings describe. Raises as its constructor does."""
    return Stylizer.from_settings(settings, crossfade=settings.crossfade, steadiness=settings.steadiness)


def software_versions() -> dict[str, str]:
    """What decides how a frame is decoded and encoded here, and by which program."""
    return {
        "stylize_live": __version__,
        "Python": platform.python_version(),
        "NumPy": np.__version__,
        "codecs": codec_versions(),
    }


class Worker(Closeable):
    """Paints units, one after the other.

    Args:
        make: opens the stylizer, in this process.
        settings: what it is opened with; the device is this worker's own.
        styles: style files that this machine may not have, by the names under which settings ask for them.

    Raises:
        StylizeError: the stylizer cannot be opened.
    """

    def __init__(self, make: OpenStylizer, settings: ConvertSettings, styles: Mapping[str, bytes]) -> None:
        self._opened = ExitStack()
        try:
            self._scratch = self._opened.enter_context(scratch_folder())
            self._lend(styles)
            self._stylizer = self._opened.enter_context(make(settings))
        except BaseException:
            self._opened.close()
            raise
        self._settings = settings
        self._warm_for: tuple[object, ...] = ()
        self._copied: set[StorageUrl] = set()

    def _lend(self, styles: Mapping[str, bytes]) -> None:
        lent = {}
        for number, (name, content) in enumerate(styles.items()):
            lent[name] = self._scratch / f"{number}.safetensors"
            lent[name].write_bytes(content)
        self._opened.enter_context(catalogue.lent_styles(lent))

    def describe(self, arithmetics: Iterable[str] = ()) -> WorkerFacts:
        """What it is.

        Args:
            arithmetics: in which it may have to paint, beside the one it chose.
        """
        stylizer, fingerprints = self._stylizer, {}
        own = arithmetic_of(stylizer)
        for arithmetic in dict.fromkeys([*arithmetics, own]):
            paint_as(stylizer, arithmetic)
            fingerprints[arithmetic_of(stylizer)] = fingerprints_of(stylizer, self._settings)
        return WorkerFacts(
            machine=platform.node(),
            versions=software_versions(),
            arithmetic=own,
            fingerprints=fingerprints,
            takes_surfaces=takes_surfaces(stylizer),
            adds_alpha=adds_alpha(stylizer),
            instructions=instruction_set(),
        )

    def paint(
        self, unit: Unit, apart: float = 0.0, is_stopping: Callable[[], bool] = lambda: False
    ) -> Iterator[ConvertProgress | SegmentPart | PaintedSegment | UnitEnd]:
        """See `paint_unit`.

        Args:
            unit: what to paint.
            apart: seconds between two words of how far it is, at least.
            is_stopping: asked several times a second; then the unit ends in its middle.
        """
        kind = unit.source, unit.settings, unit.arithmetic
        if isinstance(unit.source, StorageUrl):
            self._copied.add(unit.source)
        named = {"sound_styles": self._settings.sound_styles}  # see `settings_elsewhere`
        unit = replace(unit, settings=unit.settings.model_copy(update=named))
        told = -math.inf
        with closing(paint_unit(unit, self._stylizer, self._scratch, warm=kind == self._warm_for)) as steps:
            for step in steps:
                if is_stopping():
                    return
                if isinstance(step, ConvertProgress):
                    if monotonic() - told < apart:
                        continue
                    told = monotonic()
                yield step
        self._warm_for = kind

    def close(self) -> None:
        """Release everything. May be called twice."""
        self._opened.close()
        for url in self._copied:
            remove_copies(url)


def explain_difference(one: WorkerFacts, other: WorkerFacts) -> str | None:
    """Why two workers would not make the same video, in words; None if they would, but for roundings."""
    for name, version in one.versions.items():
        if other.versions.get(name) != version:
            there = other.versions.get(name)
            return (
                f"{other.machine} has {name} {there}, {one.machine} has {version}: install the same on both"
            )
    same = other.fingerprints.get(one.arithmetic) == one.fingerprints[one.arithmetic]
    if not same or one.takes_surfaces != other.takes_surfaces:
        how = f"set {option('device')}, {option('runtime')} and {option('precision')} to what both have"
        return f"{other.machine} does not paint as {one.machine} does ({one.arithmetic}): {how}"
    exact = one.takes_surfaces or one.arithmetic.endswith("float32")
    if one.instructions != other.instructions and not exact:
        where = f"{other.machine} computes with {other.instructions}, {one.machine} with {one.instructions}"
        return f"{where}: they paint alike only with {option('precision', 'float32')}"
    return None


def own_style_files(settings: ConvertSettings) -> dict[str, bytes]:
    """Contents of style files that do not come with the package, by the names that settings have for them.

    Raises:
        StyleError: a style is unknown or cannot be read.
    """
    texts = filter(None, [settings.style, settings.background_style, *followed_styles(settings)])
    named = {name: path for text in texts for name, path in style_files(text).items()}
    files = {name: path for name, path in named.items() if path.parent != WEIGHTS}
    try:
        return {name: _content_of(path) for name, path in files.items()}
    except OSError as error:
        raise StyleError(f"{error.filename}: cannot be read: {error.strerror}") from None


def _content_of(path: Path) -> bytes:
    """Of a style file; of a painting, that of the style which it is seen as here, so that all paint alike."""
    return look_at(path).content if is_painting(path.name) else path.read_bytes()


def settings_elsewhere(settings: ConvertSettings) -> ConvertSettings:
    """What means the same to another machine, with its own styles of the user and its own working folder.

    It makes the same video; the identity of a conversion is that of the settings as they were given.
    """
    update: dict[str, Any] = {}
    if styles := followed_styles(settings):
        update["sound_styles"] = ",".join(styles)
    if (file := background_file(settings)) is not None:
        update["background"] = str(file)
    return settings.model_copy(update=update)


def background_file(settings: ConvertSettings) -> Path | None:
    """The file that stands behind people, from the root on; None if none does."""
    background = parse_background(settings.background)
    return background.path.absolute() if background.kind == "file" else None
