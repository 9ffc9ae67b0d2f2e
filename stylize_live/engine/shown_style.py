"""The style that a backend paints in, and how it changes into another."""

from __future__ import annotations

from fractions import Fraction

from stylize_live.engine.core.protocols import Backend
from stylize_live.engine.lazy_backend import LazyBackend
from stylize_live.engine.style_set import StyleSet
from stylize_live.engine.timeline import Mix

FIRST = Mix(0, 0, 0.0)


class ShownStyle:
    """Brings weights to a backend, if they are not there yet. For one thread at a time.

    Attributes:
        styles: of a timeline, whose weights are used.
        mix: of these styles, which the backend has, if it was made.

    Args:
        styles: to begin with.
        chosen: gives the backend.
    """

    def __init__(self, styles: StyleSet, chosen: LazyBackend) -> None:
        self.styles, self.mix = styles, FIRST
        self._chosen = chosen

    @property
    def backend(self) -> Backend:
        """With the first style, if it is made now."""
        return self._chosen.get(self.styles.checkpoints[0])

    def change(self, styles: StyleSet) -> None:
        """Take other styles from their beginning, or the same ones, where they are, at another boldness."""
        same, self.styles = styles.timeline is self.styles.timeline, styles
        if same:
            self._show(self.mix)  # in place, which costs a GPU nothing
        else:
            self.backend.load(styles.checkpoints[0])
            self.mix = FIRST

    def follow(self, when: Fraction) -> bool:
        """Take what the timeline has at a time, in seconds; whether it jumped there from another style."""
        mix = self.styles.timeline.at(when)
        # A jump shows the new style at once; within a fade, images follow from each other.
        jumped = mix.first == mix.second != self.mix.second
        self.use(mix)
        return jumped

    def use(self, mix: Mix) -> None:
        """Take a mix of the styles. Raises `IndexError` where there are not as many."""
        if mix != self.mix:
            self._show(mix)
            self.mix = mix

    def _show(self, mix: Mix) -> None:
        checkpoints = self.styles.checkpoints
        self.backend.blend(checkpoints[mix.first], checkpoints[mix.second], mix.share)
