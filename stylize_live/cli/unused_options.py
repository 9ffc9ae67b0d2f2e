"""Options of the command line that change nothing beside the others that were given."""

from __future__ import annotations

from stylize_live.backgrounds import parse_background
from stylize_live.cli.console import warn
from stylize_live.options import LayerOptions
from stylize_live.wording import option


def say_unused(options: LayerOptions) -> None:
    """Say, on stderr, which option has no part in what is painted, and why."""
    if why := explain_unused(options):
        warn(why)


def explain_unused(options: LayerOptions) -> str:
    """Which option has no part in what is painted, and why; "" where all of them have."""
    if parse_background(options.background).has_content:
        bare = option("paint", options.paint) if options.paint == "person" else ""
    else:
        bare = option("background", options.background)
    if bare and options.paint == "background":
        return (
            f"nothing is painted: with {bare}, there is no background to paint, and people stay as they are"
        )
    if bare and options.background_style:
        return f"{option('background_style')} changes nothing: with {bare}, the background is not painted"
    return ""
