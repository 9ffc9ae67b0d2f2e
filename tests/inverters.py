"""Stylizers of a conversion that invert colours: what they paint is known to the bit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np

from stylize_live.frame import Frame


class Inverter:
    """Inverts colours; stands in for the stylizer."""

    fingerprint = "inverter"

    def __init__(self) -> None:
        self.warmed_up: list[tuple[int, int]] = []

    def warm_up(self, size: tuple[int, int]) -> None:
        self.warmed_up.append(size)

    def stream(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        for frame in frames:
            yield frame.with_image(np.iinfo(frame.pixels.dtype).max - frame.pixels)


class Ahead(Inverter):
    """Keeps three frames in flight, as a GPU does."""

    def stream(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        flying: list[Frame] = []
        for frame in super().stream(frames):
            flying.append(frame)
            if len(flying) > 3:
                yield flying.pop(0)
        yield from flying
