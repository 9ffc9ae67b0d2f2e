"""`stylize-live studio`: a camera, painted, watched and run on a web page."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from stylize_live.cli.completion import with_style_names
from stylize_live.cli.console import print_beside, print_line
from stylize_live.cli.live import open_display, tell, where
from stylize_live.config import StudioSettings, merged

if TYPE_CHECKING:
    from stylize_live.engine import Stylizer
    from stylize_live.studio.server import Studio
    from stylize_live.studio.sources import Sources

_DEFAULT_SETTINGS = StudioSettings()
with_style_names(StudioSettings)


def studio(
    *,
    json: bool = False,
    config: Path | None = None,
    settings: Annotated[StudioSettings, Parameter(name="*")] = _DEFAULT_SETTINGS,
) -> int:
    """Paint a camera, the screen, a stream or a file in real time, on a web page.

    The page shows the picture, all styles painted from it, and how fast it is;
    everything can be changed while it runs, from several pages, also on a phone.
    A second, bare page is for the Browser Source of OBS. Ctrl-C ends.

    For a phone: studio --host 0.0.0.0, then open the link with its token there.

    Parameters
    ----------
    json
        Print the report as one JSON object, in the last line.
    config
        TOML file of settings; options given here win.
    """
    settings = merged(settings, config)
    from stylize_live.media.live_sinks import open_sinks
    from stylize_live.media.live_sources import open_source
    from stylize_live.media.virtual_camera import VirtualCamera
    from stylize_live.pipeline.governor import govern
    from stylize_live.pipeline.live import run_live
    from stylize_live.studio.sources import Sources

    with ExitStack() as opened:
        source = opened.enter_context(open_source(settings))
        sinks = open_sinks(settings, source, opened)
        display = open_display(opened, settings, source.size, watched=False)
        ours = next((sink.device for sink in sinks if isinstance(sink, VirtualCamera)), None)
        sources = Sources(source, settings, ours)
        opened.enter_context(sources.switching)
        stylizer, page = _open_studio(opened, settings, sources)
        print_line(f"studio: {page.url}")
        print_line(f"for the Browser Source of OBS: {page.bare_url}")
        for sink in sinks:
            print_beside(where(sink))
        report = run_live(
            sources.switching,
            stylizer,
            display,
            sinks=sinks,
            styles=page.styles,
            mirror=settings.mirror,
            split=settings.split,
            duration=settings.duration,
            remote=page,
            governor=govern(stylizer, settings.size),
        )
    return tell(report, json=json)


def _open_studio(opened: ExitStack, settings: StudioSettings, sources: Sources) -> tuple[Stylizer, Studio]:
    from stylize_live.engine import Stylizer
    from stylize_live.nets.catalogue import style_names
    from stylize_live.studio.server import About, Studio
    from stylize_live.studio.thumbnails import style_painter
    from stylize_live.studio.wishes import shares_of

    stylizer = opened.enter_context(Stylizer.from_settings(settings, steadiness=settings.steadiness))
    styles = style_names()
    styles += [name for name in shares_of(settings.style) if name.endswith(".safetensors")]
    about = About(f"{stylizer.device}, {stylizer.precision}", styles)
    page = Studio(
        about,
        sources,
        settings,
        style_painter(),
        host=settings.host,
        port=settings.port,
        token=settings.token,
    )
    return stylizer, opened.enter_context(page)
