"""Where a show is seen on this machine: a window, or nowhere."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from stylize_live.install_hints import PROGRAM

if TYPE_CHECKING:
    from stylize_live.live.pipeline import LiveDisplay


def open_display(
    opened: ExitStack, size: tuple[int, int], style: str, *, window: bool, watched: bool
) -> LiveDisplay:
    """The window, or none.

    Args:
        opened: closes it.
        size: (width, height) of the frames in pixels.
        style: that is named until the first frame is painted.
        window: whether there is to be one.
        watched: without one, whether somebody is taken to look all the same.

    Raises:
        DisplayError: there is no screen.
    """
    if not window:
        from stylize_live.media.sinks.null_display import NullDisplay

        return NullDisplay(watched=watched)
    from stylize_live.live.warm_up import card, card_caption
    from stylize_live.media.sinks.window import Window

    shown = opened.enter_context(Window(PROGRAM, size))
    # At once: the network takes a moment, and an empty window looks broken.
    shown.write(card(size), card_caption(style))
    shown.poll()
    return shown
