"""`stylize-live live`: a camera, painted while you watch."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from stylize_live.cli.completion import complete_style_names
from stylize_live.config import WindowSettings, merge_config
from stylize_live.errors import UsageError
from stylize_live.live.hotkeys import hotkey_rows

_DEFAULT_SETTINGS = WindowSettings()
complete_style_names(WindowSettings)
_OF_THE_PAGE = ("port", "host", "token", "open")


def live(
    *,
    json: bool = False,
    config: Path | None = None,
    settings: Annotated[WindowSettings, Parameter(name="*")] = _DEFAULT_SETTINGS,
) -> int:
    """Paint a camera, the screen, a stream or a file in real time, in a window.

    The same frames can go to OBS (--stream), to a virtual camera
    (--virtual-camera), to other machines (--ndi) and into a video (--record), all
    at once. With --studio, a web page shows and runs the same show; VJ programs
    and knobs do with --osc and --midi.

    Keys, in the window and on the page; ? shows them, too:
    {keys}

    Closing the window or Ctrl-C ends it, too.

    The overlay shows frames per second, the median age of a frame from capture
    to display, and the frames dropped because newer ones were there. Where
    there is room, it also shows the 95th and 99th percentile of the age, and
    the median ages by stage.

    Parameters
    ----------
    json
        Print the result as JSON, alone on standard output.
    config
        TOML file of settings; options given here win.
    """
    settings = merge_config(settings, config)
    for name in _OF_THE_PAGE:
        if name in settings.model_fields_set and not settings.studio:
            raise UsageError(f"--{name} is for the studio's page: add --studio")
    from stylize_live.cli.show import run_show

    return run_show(settings, studio=settings.studio, json=json)


_KEYS = "\n".join(f"      {shown:<9}{does}" for shown, does in hotkey_rows())
live.__doc__ = (live.__doc__ or "").replace("    {keys}", _KEYS)
