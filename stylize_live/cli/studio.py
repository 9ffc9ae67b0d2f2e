"""`stylize-live studio`: a camera, painted, watched and run on a web page."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from stylize_live.cli.completion import complete_style_names
from stylize_live.config import StudioSettings, merge_config

_DEFAULT_SETTINGS = StudioSettings()
complete_style_names(StudioSettings)


def studio(
    *,
    json: bool = False,
    config: Path | None = None,
    settings: Annotated[StudioSettings, Parameter(name="*")] = _DEFAULT_SETTINGS,
) -> int:
    """Paint a camera, the screen, a stream or a file in real time, on a web page.

    The page shows the image, all styles painted from it, and how fast it is;
    everything can be changed while it runs, from several pages, also on a phone.
    A second, bare page is for the Browser Source of OBS. Ctrl-C ends. With a
    window at the same time: live --studio.

    For a phone: studio --host 0.0.0.0, then open the link with its token there.

    Parameters
    ----------
    json
        Print the result as JSON, alone on standard output.
    config
        TOML file of settings; options given here win.
    """
    settings = merge_config(settings, config)
    from stylize_live.cli.show import run_show

    return run_show(settings, studio=True, json=json)
