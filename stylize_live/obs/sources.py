"""The sources that we make in OBS: what they are set to, and how they lie on the canvas."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Settings = dict[str, Any]
# In a source's own settings: says that we made it, and how, so that it is found again under another name, in
# every scene collection, and taken away only if nobody has changed it since.
MARK = "stylize_live"
# What OBS's windows call the kinds of sources that we make.
KINDS = {"ffmpeg_source": "Media Source", "browser_source": "Browser Source"}


@dataclass(frozen=True)
class WantedSource:
    """A source as it is to be.

    Attributes:
        kind: OBS's own name of its kind.
        name: under which it is made.
        url: what it shows.
        settings: in OBS's terms.
    """

    kind: str
    name: str
    url: str
    settings: Settings

    @property
    def title(self) -> str:
        """What OBS's windows call the kind."""
        return KINDS[self.kind]


def make_media_source(url: str) -> WantedSource:
    """A Media Source for our stream, set to show each frame as soon as it can."""
    settings = {
        "is_local_file": False,
        "restart_on_activate": False,
        "close_when_inactive": False,
        "buffering_mb": 0,
        "reconnect_delay_sec": 1,
        "input": url,
        "input_format": "nut",
        "hw_decode": False,
        "clear_on_media_end": False,
    }
    return WantedSource("ffmpeg_source", "stylize-live", url, settings)


def make_browser_source(url: str, canvas: tuple[int, int]) -> WantedSource:
    """A Browser Source for the studio's bare page, in the size of the canvas, (width, height) in pixels."""
    settings = {
        "is_local_file": False,
        "url": url,
        "width": canvas[0],
        "height": canvas[1],
        "shutdown": False,
        "restart_when_active": False,
    }
    return WantedSource("browser_source", "stylize-live page", url, settings)


def fit_to_canvas(canvas: tuple[int, int]) -> Settings:
    """The place of a source on a canvas of (width, height) pixels: as large as fits, in the middle, in its
    own shape, whatever size its frames come to have."""
    return {
        "positionX": 0,
        "positionY": 0,
        "rotation": 0,
        "alignment": 5,  # the position is that of the corner at the left and the top
        "boundsType": "OBS_BOUNDS_SCALE_INNER",
        "boundsAlignment": 0,  # in the middle
        "boundsWidth": canvas[0],
        "boundsHeight": canvas[1],
        "cropLeft": 0,
        "cropTop": 0,
        "cropRight": 0,
        "cropBottom": 0,
    }


def lies_at(transform: Settings, place: Settings) -> bool:
    """Whether a source lies where it was put; OBS counts in floating point."""
    return all(_same(transform.get(name), value) for name, value in place.items())


def _same(found: object, wanted: object) -> bool:
    if isinstance(found, int | float) and isinstance(wanted, int | float):
        return abs(found - wanted) < 0.5
    return found == wanted
