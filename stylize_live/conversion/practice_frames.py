"""Frames of videos that a style practises on before it paints them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from stylize_live.config import ConvertSettings
from stylize_live.errors import SourceError
from stylize_live.frame import Pixels
from stylize_live.learning.photos import shrink
from stylize_live.media.decode.reader import VideoReader

MOST = 16  # frames in all


def sample_frames(videos: Sequence[Path], settings: ConvertSettings) -> list[Pixels]:
    """Some frames of videos, evenly spread, small; videos that cannot be read or sought give fewer or none.

    Returns:
        (H, W, 3) uint8 each; of the same videos always the same ones.

    Raises:
        SourceError: none of the videos can be read.
    """
    found: list[Pixels] = []
    errors: list[SourceError] = []
    chosen = videos[:: max(1, -(-len(videos) // MOST))]
    for video in chosen:
        try:
            found += _sample(video, settings, max(1, MOST // len(chosen)))
        except SourceError as error:
            errors.append(error)  # of some, whoever converts them will say so
    if errors and not found:
        raise errors[0]
    return found


def _sample(video: Path, settings: ConvertSettings, count: int) -> Iterator[Pixels]:
    with VideoReader(video, settings) as reader:
        whole = reader.duration
        for number in range(count):
            if whole is None or not reader.seek(whole * (2 * number + 1) / (2 * count)):
                whole = None  # then the first ones, as they come
            frame = next(iter(reader), None)
            if frame is None:
                return
            yield shrink(frame.pixels)
