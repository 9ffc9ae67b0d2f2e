"""What stands in the window: painted frames, and before them the source's own, or a dark card."""

from __future__ import annotations

from stylize_live.frame import Frame
from stylize_live.live.hotkeys import hotkey_rows
from stylize_live.live.painted_frame import PaintedFrame, compose_view
from stylize_live.live.protocols import LiveDisplay
from stylize_live.live.view import View
from stylize_live.live.warm_up import WarmUp, make_card
from stylize_live.media.sinks.overlay import Caption


class Screen:
    """Hands frames to the display. For the main thread.

    Args:
        display: the window, or nothing.
        view: how frames are shown.

    Attributes:
        shown: the frame that was shown last, without overlay; None before the first one. A source's own
            frame is none: others may see this one.
    """

    def __init__(self, display: LiveDisplay, view: View) -> None:
        self._display, self._view = display, view
        self.shown: Frame | None = None
        self._raw: Frame | None = None
        self._raw_caption = Caption()

    @property
    def watched(self) -> bool:
        """Whether anybody may be looking."""
        return self._display.watched

    def poll(self) -> str | None:
        """See `LiveDisplay.poll`."""
        return self._display.poll()

    def show(self, item: PaintedFrame, caption: Caption) -> None:
        """Show a painted frame, and remember it."""
        self._view.changed = False
        self.shown = item.compose(self._view.view_options)
        self._display.write(self.shown, caption)

    def show_raw(self, warm_up: WarmUp, size: tuple[int, int], trouble: str) -> None:
        """As long as nothing can be painted, show the frame that came, or a card.

        In the window only: pages, which others may see, and sinks get nothing that is not painted.

        Args:
            warm_up: has the frame.
            size: (width, height) of a card in pixels.
            trouble: what is waited for.
        """
        view = self._view
        caption = Caption(note=view.note or trouble, table=hotkey_rows() if view.help else ())
        raw = warm_up.raw or self._raw
        if raw is not None and raw is self._raw and caption == self._raw_caption:
            return
        if raw is None:
            raw = make_card(size)
            if warm_up.under_way:
                self.shown = raw
        self._raw, self._raw_caption = raw, caption
        options = view.view_options.model_copy(update={"split": False})
        pixels = compose_view(raw.pixels, raw.pixels, options)
        self._display.write(raw.with_image(pixels), caption)
