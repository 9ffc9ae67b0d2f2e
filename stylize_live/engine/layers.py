"""People and what is behind them as two layers: which is painted, in which style, and what stands there.

What a frame costs beside its network is the matte and one laying over; only the networks that are needed run.
Where both layers are painted in one style and a file stands behind people, they are one image before it is
painted: strokes run across the edge, as in a painting.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import numpy.typing as npt

from stylize_live.backgrounds import Background, parse_background
from stylize_live.config import Runtime
from stylize_live.engine.background_file import BackgroundFile, open_file
from stylize_live.engine.background_style import BackgroundStyle, Look
from stylize_live.engine.continuity import Continuity, TemporalOptions
from stylize_live.engine.core.protocols import Backend
from stylize_live.engine.core.render_options import RenderOptions
from stylize_live.engine.cpu.blending import as_deep, defocus, fill, hide_background, lay_over
from stylize_live.engine.lazy_backend import LazyBackend
from stylize_live.engine.saved_state import with_prefix, without_prefix
from stylize_live.engine.style_set import StyleSet
from stylize_live.frame import Frame, Pixels
from stylize_live.lifecycle import Closeable
from stylize_live.options import LayerOptions

if TYPE_CHECKING:
    from stylize_live.engine.matting.matte import PersonMatte

_ALL_PAINTED = LayerOptions()


@dataclass(frozen=True, slots=True)
class LayerPlan:
    """What is asked of the layers: made anew only when something changes.

    Attributes:
        options: as they were asked for.
        styles: of the background, at the boldness that is painted; None where it has none of its own.
        choice: number of the choice of this background; a file that broke is opened again for a new choice.
    """

    options: LayerOptions = _ALL_PAINTED
    styles: StyleSet | None = None
    choice: int = 0

    @property
    def is_off(self) -> bool:
        """Whether frames are painted whole, as if there were no layers."""
        return self.options == _ALL_PAINTED

    @property
    def background(self) -> Background:
        """What stands behind people."""
        return parse_background(self.options.background)

    @property
    def paints_person(self) -> bool:
        """Whether people are painted."""
        return self.options.paint != "background"

    @property
    def paints_background(self) -> bool:
        """Whether what is behind people is painted; plain colors never are."""
        return self.options.paint != "person" and self.background.has_content

    @property
    def own_style(self) -> StyleSet | None:
        """The background's own style, if it is painted in one."""
        return self.styles if self.paints_background else None

    @property
    def is_transparent(self) -> bool:
        """Whether frames become transparent around people."""
        return self.background.kind == "transparent"

    @property
    def fingerprint(self) -> str:
        """Names everything that the layers depend on, but for the matte.

        Raises:
            SourceError: the background's file cannot be read.
        """
        background, styles = self.background, self.own_style
        behind = self.options.background
        if background.kind == "file":
            from stylize_live.media.decode.backgrounds import digest_of

            behind = digest_of(background.path)
        words = f"paint {self.options.paint}, behind {behind!r}"
        if styles is not None:
            weights = " ".join(checkpoint.digest() for checkpoint in styles.checkpoints)
            words += f", in {weights} at {' '.join(map(str, styles.timeline.times))}"
        return words


class MainNetwork:
    """What the layers need of the stylizer's own network.

    Args:
        paint: paints a frame of a video.
        paint_still: paints an image by itself.
        look: see `Look`.
    """

    def __init__(
        self, paint: Callable[[Frame], Pixels], paint_still: Callable[[Pixels], Pixels], look: Look
    ) -> None:
        self.paint, self.paint_still, self.look = paint, paint_still, look


@dataclass(frozen=True, slots=True)
class _PaintedStill:
    """A painted image, and what it depends on."""

    styles: StyleSet
    rest: object
    pixels: Pixels


class Layers(Closeable):
    """Paints frames in layers. For the one thread that paints; what it holds is made when it is first needed.

    Attributes:
        backends: that painted the last frame beside the stylizer's own.
        used_main: whether the stylizer's own network painted something of it.
        keeps_background: whether a background's file that breaks is shown as it was last, see
            `BackgroundFile`; counts for those opened from now on.

    Args:
        chosen: the stylizer's way to compute.
    """

    def __init__(self, chosen: LazyBackend) -> None:
        self._chosen = chosen
        self._matte: PersonMatte | None = None
        self._continuity = Continuity()
        self._style: BackgroundStyle | None = None
        self._file: BackgroundFile | None = None
        self.keeps_background = False
        self._still: _PaintedStill | None = None
        self.backends: tuple[Backend, ...] = ()
        self.used_main = True

    def paint(
        self,
        frame: Frame,
        plan: LayerPlan,
        main: MainNetwork,
        options: RenderOptions,
        temporal: TemporalOptions,
    ) -> Frame:
        """Paint a frame.

        Args:
            frame: as it was captured.
            plan: what is asked for, not all off.
            main: the stylizer's own network.
            options, temporal: how is painted.

        Returns:
            The same moment; with `alpha` where the plan is transparent.

        Raises:
            SourceError: the background's file is gone or broken, unless `keeps_background`.
        """
        self._prepare(plan)
        self.backends, self.used_main = (), False
        frame = frame.with_image(frame.pixels)
        matte = self.measure(frame)
        if frame.alpha is not None and plan.background.covers:
            matte = np.minimum(matte, frame.alpha)
            frame = replace(frame, alpha=np.full_like(frame.alpha, np.iinfo(frame.alpha.dtype).max))
        behind = self._behind(frame, plan)

        def paint_main(one: Frame) -> Pixels:
            self.used_main = True
            return main.paint(one)

        def paint_behind() -> Pixels:
            if self._style is not None:
                self._style.follow(frame)
            if self._still_file is not None:
                return self._paint_still(behind.pixels, main, options)
            if self._style is None:
                return paint_main(behind)
            self.backends = (self._style.backend,)
            return self._style.paint(behind, options, temporal)

        if plan.paints_person and plan.paints_background and self._style is None:
            if behind is not frame:
                return frame.with_image(
                    paint_main(frame.with_image(lay_over(frame.pixels, behind.pixels, matte)))
                )
            over = under = paint_main(frame)
        else:
            over = paint_main(frame) if plan.paints_person else frame.pixels
            under = paint_behind() if plan.paints_background else behind.pixels
        return _compose(frame, over, under, matte, plan.background)

    def _prepare(self, plan: LayerPlan) -> None:
        """Let go of what a plan does not need, and take what it needs anew."""
        background, styles = plan.background, plan.own_style
        file = self._file
        if file is not None and (
            file.background != background or (file.trouble and file.choice != plan.choice)
        ):
            self._close_file()
        if background.kind == "file" and self._file is None:
            self._file = BackgroundFile(background, plan.choice, keeps=self.keeps_background)
        if styles is None:
            self._close_style()
        elif self._style is None:
            self._style = BackgroundStyle(styles, self._chosen)
        else:
            self._style.use(styles)

    def measure(self, frame: Frame) -> Pixels:
        """How much of each pixel is a person: (H, W) of the frame's dtype."""
        self._matte = self._matte or self._make_matte()
        matte = self._matte.measure(frame.pixels, self._continuity.begins(frame))
        return as_deep(matte, frame.pixels.dtype)

    def _behind(self, frame: Frame, plan: LayerPlan) -> Frame:
        """What stands behind people, before it is painted; the frame itself where that is kept."""
        if self._file is None:
            return frame
        pixels = as_deep(self._file.at(frame.pts, frame.size, frame.pixel_aspect), frame.pixels.dtype)
        return replace(frame, image=pixels, starts_shot=None)

    @property
    def _still_file(self) -> Background | None:
        return self._file.background if self._file is not None and self._file.is_still else None

    def _paint_still(self, pixels: Pixels, main: MainNetwork, options: RenderOptions) -> Pixels:
        """Painted once, as long as nothing changes: it never moves."""
        style = self._style
        styles, mix = main.look if style is None else style.look
        rest = (self._still_file, mix, options, pixels.shape, pixels.dtype)
        still = self._still
        if still is None or still.styles is not styles or still.rest != rest:
            painted = main.paint_still(pixels) if style is None else style.paint_still(pixels, options)
            still = self._still = _PaintedStill(styles, rest, painted.copy())  # a GPU's is not to be kept
        return still.pixels

    @property
    def trouble(self) -> str:
        """What is shown in place of a background's file that broke; "" while all is well. For any thread."""
        file = self._file
        return "" if file is None else file.trouble

    def reset(self) -> None:
        """Take the next frame as the first of a video. Any thread may call it."""
        self._continuity.reset()
        if (style := self._style) is not None:
            style.reset()

    @property
    def fingerprint(self) -> str:
        """Of the matte."""
        with self._make_matte() as matte:
            return matte.fingerprint

    def _make_matte(self) -> PersonMatte:
        from stylize_live.engine.matting.matte import PersonMatte

        return PersonMatte(self._chosen.device_name, cast("Runtime", self._chosen.runtime))

    def memory(self) -> Mapping[str, npt.NDArray[Any]]:
        """What the next frame depends on, by name; empty before the first."""
        if self._matte is None:
            return {}
        arrays = {**with_prefix("matte", self._matte.memory), **with_prefix("shots", self._continuity.memory)}
        if self._style is not None:
            arrays |= with_prefix("background", self._style.memory)
        return {**arrays, "layers": np.zeros(1, np.uint8)}

    def remember(self, arrays: Mapping[str, npt.NDArray[Any]], plan: LayerPlan) -> None:
        """Go on as after `memory`. Raises `KeyError` or `IndexError`: not what that gave."""
        if "layers" not in arrays:
            return
        self._prepare(plan)
        self._matte = self._matte or self._make_matte()
        self._matte.memory = without_prefix("matte", arrays)
        self._continuity.memory = without_prefix("shots", arrays)
        if self._style is not None and (own := without_prefix("background", arrays)):
            self._style.memory = own

    def _close_file(self) -> None:
        self._still = None
        file, self._file = self._file, None
        if file is not None:
            file.close()

    def _close_style(self) -> None:
        style, self._style = self._style, None
        if style is not None:
            self._still = None
            style.close()

    def close(self) -> None:
        """Release files and device memory. May be called twice; what is needed again is made again."""
        self._close_file()
        self._close_style()
        matte, self._matte = self._matte, None
        if matte is not None:
            matte.close()
        self.backends, self.used_main = (), True


def check_background(background: Background) -> None:
    """Open a background's file, if it has one, and close it. Raises `SourceError`: it cannot be read."""
    if background.kind == "file":
        open_file(background).close()


def _compose(frame: Frame, over: Pixels, under: Pixels, matte: Pixels, background: Background) -> Frame:
    """Lay people over what is behind them."""
    if background.kind == "transparent":
        alpha = matte if frame.alpha is None else np.minimum(matte, frame.alpha)
        return replace(frame, image=hide_background(over, alpha), alpha=alpha)
    if background.kind == "color":
        under = fill(background.color, over.shape, over.dtype)
    elif background.kind == "blur":
        under = defocus(under, matte)
    return frame.with_image(lay_over(over, under, matte))
