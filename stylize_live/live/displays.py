"""The display of a session on this machine: a window, or none."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from stylize_live.install_hints import PROGRAM

if TYPE_CHECKING:
    from stylize_live.live.protocols import LiveDisplay


def open_display(
    opened: ExitStack, size: tuple[int, int], style: str, *, window: bool, watched: bool
) -> LiveDisplay:
    """Open the window, or a display that shows nothing.

    Args:
        opened: closes it.
        size: (width, height) of the frames in pixels.
        style: named in the window until the first frame is painted.
        window: whether there is to be one.
        watched: without a window, whether frames are painted all the same.

    Raises:
        DisplayError: there is no screen.
    """
    if not window:
        from stylize_live.media.sinks.null_display import NullDisplay

        return NullDisplay(watched=watched)
    from stylize_live.live.warm_up import make_card, make_card_caption
    from stylize_live.media.sinks.window import Window

    display = opened.enter_context(Window(PROGRAM, size))
    # At once: the network takes a moment, and an empty window looks broken.
    display.write(make_card(size), make_card_caption(style))
    display.poll()
    return display
