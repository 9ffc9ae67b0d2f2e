"""The heart of the package for programmers: images in, painted images out."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Any, Self, TypeVar, cast

import numpy as np

from stylize_live.backgrounds import parse_background
from stylize_live.config import (
    DEFAULT_STYLE,
    DeviceName,
    EngineSettings,
    Precision,
    Runtime,
)
from stylize_live.engine.array_types import as_pixels
from stylize_live.engine.continuity import Continuity, TemporalOptions
from stylize_live.engine.core.economy import Economy
from stylize_live.engine.core.protocols import Backend, FrameJob, Strips, TemporalContext
from stylize_live.engine.core.render_options import RenderOptions
from stylize_live.engine.cpu.base import CpuBackend
from stylize_live.engine.cpu.compositing import composite_in_strips, shrink_by_strips
from stylize_live.engine.cpu.features import floating_precision
from stylize_live.engine.following import (
    Following,
    FrameFollower,
    Look,
    Wanted,
    move_options,
    move_steadiness,
)
from stylize_live.engine.layers import LayerPlan, Layers, MainNetwork, check_background
from stylize_live.engine.lazy_backend import LazyBackend
from stylize_live.engine.saved_state import pack_network, pack_state, unpack_network, unpacked_state
from stylize_live.engine.shown_style import FIRST, ShownStyle
from stylize_live.engine.style_loading import takes_long
from stylize_live.engine.style_set import StyleSet, naming_option
from stylize_live.errors import StyleError, UsageError
from stylize_live.frame import Frame, Pixels
from stylize_live.lifecycle import Closeable
from stylize_live.nets.checkpoint import Checkpoint
from stylize_live.options import (
    ImageOptions,
    LayerOptions,
    PaintedPart,
    PaintingOptions,
    change_options,
    check_options,
)

_USUAL, _WHOLE = ImageOptions(), LayerOptions()
Image = TypeVar("Image")  # a frame, an array, an image or a tensor


class Stylizer(Closeable):
    """Paints images in one style; the style may change between frames.

    Threads that share a stylizer wait for each other, image by image; each video (`steadiness`,
    `stream`) needs a stylizer of its own. `style`, `strength`, `boldness`, `keep_colors`, `stroke`, `lines`,
    `paint`, `background_style` and `background` may be set from any thread without waiting, and count from
    the next frame on; so does `economy`, what a live session saves where the machine is too slow (None, as
    usual, saves nothing). Whoever sets a style to a painting for the first time waits about a second while it
    is looked at, unless `look_at` was called in another thread before; frames are painted meanwhile.

    Args:
        style: name of a shipped style, path of a style file, a blend such as
            ``"starry-night:0.6,great-wave:0.4"``, or a timeline such as
            ``"0:starry-night,12.5:great-wave@0.3"``, which follows the times of frames (the last at a
            boldness of its own).
        strength: 0 (the original) to 1 (the full style).
        boldness: how freely the style paints, 0 (close to the image) to 1 (bold). Makes no difference
            to styles that have one end only, which is said once in the log.
        keep_colors: keep the image's own colours, take strokes only.
        stroke: size of strokes, 0.25 to 4; 1 is natural. They keep their share of the image at any
            size from 480p up. Smaller ones take longer.
        paint: what is painted: "both", "person" (all people who are seen) or "background". The rest stays as
            it was captured.
        background_style: paint what is behind people in this style; "" is the same one.
        background: what stands there instead: "" leaves it, "blur", "transparent", a color such as "#00ff00"
            or "navy", or the path of an image or of a video, which follows the times of frames and plays
            again and again. Files are painted where backgrounds are, colors never. "transparent" gives
            results an opacity: arrays and tensors a fourth channel, PIL images the mode "RGBA", frames
            `alpha`; black is where nothing is seen.
        crossfade: seconds that each change of a timeline takes.
        steadiness: 0 to 1: how far each image follows from the one before. Above 0, images are
            taken as a video in order, see `reset`; 0 paints each by itself.
        device: "auto", "cpu", "cuda", or a GPU by its number, such as "cuda:1".
        precision: "auto", "float32", "bfloat16", "float16" (a GPU only) or "int8" (OpenVINO only).
        runtime: "auto", "torch" or "openvino" (CPU, needs the package `openvino`).

    Raises:
        StyleError: the style is unknown or its file unusable.
        DeviceError: the device, precision or runtime is not available.
        UsageError: strength, boldness or steadiness is not in 0..1, stroke not in 0.25..4, or a
            word is wrong.
        SourceError: the background's file is missing or cannot be read.

    Example:
        >>> paint = Stylizer("starry-night")
        >>> painted = paint(rgb)  # (H, W, 3) uint8 -> (H, W, 3) uint8
    """

    def __init__(
        self,
        style: str | Path = DEFAULT_STYLE,
        *,
        strength: float = _USUAL.strength,
        boldness: float = _USUAL.boldness,
        keep_colors: bool = _USUAL.keep_colors,
        stroke: float = _USUAL.stroke,
        paint: PaintedPart = _WHOLE.paint,
        background_style: str | Path = _WHOLE.background_style,
        background: str | Path = _WHOLE.background,
        crossfade: float = 0.0,
        steadiness: float = 0.0,
        device: DeviceName = "auto",
        precision: Precision = "auto",
        runtime: Runtime = "auto",
    ) -> None:
        self._chosen = LazyBackend(device, precision, runtime)
        self._style, self._crossfade = str(style), crossfade
        self._painting = threading.RLock()  # held while an image is painted; never by who holds `_setting`
        self._setting = threading.Lock()  # held while another style is taken
        self._changing = threading.Lock()  # held for the moment in which options change
        self._pending: StyleSet | None = None
        self._refined: StyleSet | None = None  # pending weights that frames go on with as they were
        self._following: Following | None = None
        self._holds = False  # whether the backend may hold what a follower needed
        self._options = check_options(
            RenderOptions, strength=strength, boldness=boldness, keep_colors=keep_colors, stroke=stroke
        )
        self._continuity = Continuity()
        self._size = (1, 1)  # (width, height) of the last frame
        self.steadiness = steadiness
        self.economy: Economy | None = None
        self._wanted = StyleSet.load(self._style, crossfade)
        self._shown = ShownStyle(self._wanted.at(self.boldness), self._chosen)
        self._wanted.warn_without_boldness(self.boldness)
        self._background_styles: StyleSet | None = None
        self._plan, self._layers = LayerPlan(), Layers(self._chosen)
        self._set_layers(paint=paint, background_style=str(background_style), background=str(background))

    def __repr__(self) -> str:
        painting = f"strength={self.strength:g}, boldness={self.boldness:g}, steadiness={self.steadiness:g}"
        where = f"device={self.device!r}, precision={self.precision!r}, runtime={self._chosen.runtime!r}"
        return f"Stylizer({self.style!r}, {painting}, {where})"

    @property
    def _backend(self) -> Backend:
        """Made when first needed: its runtime takes longer to load than all the rest."""
        return self._shown.backend

    @classmethod
    def from_settings(
        cls, settings: EngineSettings, *, crossfade: float = 0.0, steadiness: float = 0.0
    ) -> Self:
        """A stylizer as a command's settings describe it. Raises as the constructor does."""
        return cls(
            settings.style,
            **{name: getattr(settings, name) for name in ImageOptions.model_fields},
            **_layers_in(settings),
            crossfade=crossfade,
            steadiness=steadiness,
            device=settings.device,
            precision=settings.precision,
            runtime=settings.runtime,
        )

    @property
    def style(self) -> str:
        """The style as it was asked for; set it to change from the next frame on."""
        return self._style

    @style.setter
    def style(self, text: str) -> None:
        wanted = StyleSet.load(text, self._crossfade)
        with self._setting:
            self._wanted, self._style = wanted, text
            self._pending = wanted.at(self.boldness)

    def takes_long(self, style: str) -> bool:
        """Whether setting `style` would take about a second, for a painting that was not looked at yet."""
        return takes_long(style)

    def look_at(self, style: str) -> None:
        """Have the paintings of a style looked at, for whoever sets it later. Raises as setting it would."""
        StyleSet.load(style, self._crossfade)

    @property
    def boldness(self) -> float:
        """How freely styles paint, 0 to 1; may be set.

        Setting it takes as long as painting some images does. Another thread can go on painting
        meanwhile, as before, and does not wait for the change.
        """
        return self._options.boldness

    @boldness.setter
    def boldness(self, value: float) -> None:
        with self._setting:
            self._set_options(boldness=value)
            boldness, wanted = self.boldness, self._wanted
            styles = wanted.at(boldness)
            mix = self._shown.mix if styles.timeline is self._shown.styles.timeline else FIRST
        if not mix.share:
            self._backend.prepare(styles.checkpoints[mix.first])
        with self._setting:
            # Unless something newer was asked for meanwhile.
            if styles.timeline is self._wanted.timeline and boldness == self.boldness:
                self._pending = styles if self._wanted is wanted else self._wanted.at(boldness)
            behind = self._background_styles
            own = None if behind is None else behind.at(boldness)
            self._plan = replace(self._plan, styles=own)
        if own is not None:
            for backend in self._layers.backends:
                backend.prepare(own.checkpoints[0])

    def refine(self, style: str, checkpoint: Checkpoint) -> bool:
        """Paint in other weights of the style that is chosen, from the next frame on.

        Frames go on following from each other, unlike at a change of style. It takes as long as painting some
        images; another thread can go on painting meanwhile.

        Args:
            style: that the weights belong to, as it was asked for.
            checkpoint: of the same network.

        Returns:
            Whether that is the style still; nothing changes where it is not.

        Raises:
            StyleError: another network.
        """
        with self._setting:
            wanted, boldness = self._wanted, self.boldness
            if style != self._style or len(wanted.checkpoints) > 1:
                return False
            if checkpoint.architecture != wanted.checkpoints[0].architecture:
                raise StyleError(f"{style}: what was learnt belongs to another network")
            refined = replace(wanted, checkpoints=(checkpoint,))
            own = wanted.timeline.boldness[0]
            shown = replace(refined, checkpoints=(checkpoint.once_at(boldness if own is None else own),))
        self._backend.prepare(shown.checkpoints[0])
        with self._setting:
            if self._wanted is not wanted:
                return False
            self._wanted = refined
            if boldness == self.boldness:
                self._pending = self._refined = shown
            if self._following is not None:
                self._following.refine(refined)
        return True

    @property
    def has_boldness(self) -> bool:
        """Whether boldness makes a difference to the style, or to one of a timeline."""
        return self._wanted.has_boldness

    @property
    def strength(self) -> float:
        """Share of the painted image in the mix with the original, 0 to 1."""
        return self._options.strength

    @strength.setter
    def strength(self, value: float) -> None:
        self._set_options(strength=value)

    @property
    def keep_colors(self) -> bool:
        """Whether the image keeps its own colours; may be set."""
        return self._options.keep_colors

    @keep_colors.setter
    def keep_colors(self, value: bool) -> None:
        self._set_options(keep_colors=value)

    @property
    def stroke(self) -> float:
        """Size of strokes, 0.25 to 4; may be set."""
        return self._options.stroke

    @stroke.setter
    def stroke(self, value: float) -> None:
        self._set_options(stroke=value)

    @property
    def lines(self) -> int:
        """Shorter side in pixels at which larger images are painted; may be set, 480 is natural."""
        return self._options.lines

    @lines.setter
    def lines(self, value: int) -> None:
        self._set_options(lines=value)

    @property
    def steadiness(self) -> float:
        """How far each image follows from the one before, 0 to 1."""
        return self._steadiness

    @steadiness.setter
    def steadiness(self, value: float) -> None:
        self._steadiness = check_options(PaintingOptions, steadiness=value).steadiness

    @property
    def paint(self) -> PaintedPart:
        """What is painted: "both", "person" or "background"; may be set."""
        return self._plan.options.paint

    @paint.setter
    def paint(self, value: PaintedPart) -> None:
        self._set_layers(paint=value)

    @property
    def background_style(self) -> str:
        """The style of the background, "" for the same one; may be set."""
        return self._plan.options.background_style

    @background_style.setter
    def background_style(self, text: str) -> None:
        self._set_layers(background_style=text)

    @property
    def background(self) -> str:
        """What stands in place of the background, "" for itself; may be set."""
        return self._plan.options.background

    @background.setter
    def background(self, text: str) -> None:
        self._set_layers(background=text)

    @property
    def keeps_background(self) -> bool:
        """Whether a background's file that breaks while images are painted is shown as it was last, or as a
        dark color, so that nobody sees the room; otherwise it raises `SourceError`. May be set."""
        return self._layers.keeps_background

    @keeps_background.setter
    def keeps_background(self, value: bool) -> None:
        self._layers.keeps_background = value

    @property
    def background_trouble(self) -> str:
        """What is shown in place of a background's file that broke, until one is chosen anew; else ""."""
        return self._layers.trouble

    @property
    def in_layers(self) -> bool:
        """Whether people and what is behind them are told apart; otherwise images are painted whole."""
        return not self._plan.is_off

    @property
    def adds_alpha(self) -> bool:
        """Whether what it paints is transparent around people."""
        return self._plan.is_transparent

    def _set_layers(self, **values: Any) -> None:
        """Other layers from the next frame on, if their style and their file can be read."""
        asked = change_options(self._plan.options, **values)
        if "background" in values:
            check_background(parse_background(asked.background))
        behind, style = self._background_styles, asked.background_style
        if "background_style" in values:
            with naming_option("background_style"):
                behind = StyleSet.load(style, self._crossfade) if style else None
        with self._setting:
            self._background_styles = behind
            own = None if behind is None else behind.at(self.boldness)
            choice = self._plan.choice + ("background" in values)
            self._plan = LayerPlan(change_options(self._plan.options, **values), own, choice)

    def _set_options(self, **values: Any) -> None:
        """Other options from the next frame on."""
        with self._changing:
            self._options = change_options(self._options, **values)

    def follow(self, follower: FrameFollower | None, styles: Sequence[str] = ()) -> None:
        """Have options and style follow something, frame by frame, around what they are set to.

        Args:
            follower: says how far they move; None ends that, and all is again as it is set.
            styles: names of those that follow the chosen one where it changes, too.

        Raises:
            StyleError: a style is unknown or unusable.
            UsageError: styles are to change, but a timeline says when they do.
        """
        if styles and len(self._wanted.timeline.styles) > 1:
            raise UsageError(f"{self._style}: a timeline changes styles itself, so the sound must not")
        following = None if follower is None else Following(follower, styles)
        with self._painting, self._setting:
            ended, self._following = self._following is not None and following is None, following
            if ended and self._pending is None:
                self._pending = self._wanted.at(self.boldness)

    @property
    def followed_style(self) -> str:
        """The style that a follower has changed to; "" while the chosen one is shown."""
        following = self._following
        shown = "" if following is None else following.style
        return "" if shown == self._style else shown

    def make_movement_ready(self) -> bool:
        """Make ready what the next look of a follower that does not wait needs; whether there was anything.

        That takes as long as painting some images; another thread can go on painting meanwhile.
        """
        following = self._following
        wanted = None if following is None else following.wanted
        if following is None or wanted is None:
            return False
        backend = self._backend
        assert isinstance(backend, CpuBackend)
        backend.hold(wanted.checkpoint, wanted.size, wanted.itemsize)
        if following.wanted is wanted:
            following.wanted = None
        return True

    @property
    def can_save(self) -> bool:
        """Whether `economy` makes a difference: on a CPU."""
        return self._chosen.device == "cpu"

    def is_ready(self, lines: int) -> bool:
        """Whether images like the last one can be painted at so many lines without a pause."""
        size = self._size_at(lines)
        return all(backend.is_ready(size) for backend in self._backends if isinstance(backend, CpuBackend))

    def make_ready(self, lines: int) -> None:
        """Make ready what the first frame at so many lines would wait for.

        That takes as long as painting some images; another thread can go on painting meanwhile.
        """
        for backend in self._backends:
            if isinstance(backend, CpuBackend):
                backend.make_ready(self._size_at(lines))

    @property
    def _backends(self) -> tuple[Backend, ...]:
        """Its own, and that of the last frame's background."""
        return self._backend, *self._layers.backends

    def _size_at(self, lines: int) -> tuple[int, int]:
        shown = self._following.shown if self._following is not None else None
        stroke = self.stroke if shown is None else shown.stroke
        return change_options(self._options, lines=lines, stroke=stroke).working_size(self._size)

    @property
    def carried(self) -> bool:
        """Whether the last frame was not painted but moved, see `Economy`."""
        used = self._backends if self._layers.used_main else self._layers.backends
        return bool(used) and all(isinstance(one, CpuBackend) and one.carried for one in used)

    def reset(self) -> None:
        """Take the next frame as the first of a video: after a seek, or for another video."""
        self._continuity.reset()
        self._layers.reset()

    @property
    def fingerprint(self) -> str:
        """Names everything that the images depend on: stylizers of equal fingerprint paint alike."""
        following = self._following
        styles = self._pending or self._shown.styles
        if following is not None:  # what is shown depends on the moment
            styles = self._wanted.at(self.boldness)
        timeline = styles.timeline
        times = " ".join(map(str, (*timeline.times, timeline.crossfade)))
        weights = " ".join(checkpoint.digest() for checkpoint in styles.checkpoints)
        painting = self._options.model_dump(exclude={"boldness"})  # which is in the weights
        how = f"{painting} {self.steadiness} {self.device} {self.precision}, {self._backend.runtime}"
        how += f", beside it {floating_precision()}" if self.precision == "int8" else ""
        if following is not None:
            ends = [end.digest() for one in self._wanted.checkpoints for end in (one.at(0), one.at(1))]
            how += f", from {' '.join(ends)} follows {following.fingerprint}"
        if not (plan := self._plan).is_off:
            how += f", {plan.fingerprint}, {self._layers.fingerprint}"
        return f"styles {weights} at {times}, {how}"

    @property
    def arithmetic(self) -> str:
        """Runtime and precision in short, for `paint_as`: "openvino int8"."""
        return self._chosen.arithmetic

    def paint_as(self, arithmetic: str) -> None:
        """Compute as another stylizer did, if that was left to this one and can be done here.

        What is fastest may be another way by now, and a video is to be painted in one to its end.

        Args:
            arithmetic: of the other one; anything else is as it was chosen at first.
        """
        with self._painting:
            if self._chosen.use_arithmetic(arithmetic):
                self._shown.mix = FIRST
                self._layers.close()
                self.reset()

    @property
    def device(self) -> str:
        """Where the network runs: "cpu" or "cuda"."""
        return self._chosen.device

    @property
    def takes_surfaces(self) -> bool:
        """Whether `stream` takes frames that hold surfaces, see `Frame`, and gives such back: on a GPU, where
        frames are painted whole.

        Videos are decoded on the first GPU, so that others get frames from memory.
        """
        return self._chosen.device == "cuda" and not self._chosen.gpu and self._plan.is_off

    @property
    def precision(self) -> str:
        """Arithmetic of the network: "float32", "bfloat16", "float16" or "int8"."""
        return self._chosen.precision

    @property
    def runtime(self) -> str:
        """Name and version of what computes the network."""
        return self._backend.runtime

    def __call__(self, image: Image) -> Image:
        """Paint one image.

        Args:
            image: (H, W, 3) RGB of any size, uint8 or uint16, or a `Frame` of it; a PIL image of mode
                "RGB"; or a (3, H, W) torch tensor, uint8 or floating point from 0 to 1. Not changed.

        Returns:
            The same kind of thing, size and dtype. On a GPU it lies in page-locked memory: copy what you
            keep thousands of.

        Raises:
            TypeError: anything else; the message says what to make of it.
            ValueError: a side is zero.
        """
        if isinstance(image, Frame):
            return cast("Image", self._paint(image))
        pixels, back = as_pixels(image)
        if not (self._steadiness or self.economy):
            self._layers.reset()
        frame = self._paint(Frame(pixels, Fraction(0), 0.0, 0))
        painted = frame.pixels if frame.alpha is None else np.dstack((frame.pixels, frame.alpha))
        result: Image = back(painted)
        return result

    def _paint(self, frame: Frame) -> Frame:
        with self._painting:
            self._apply_style(frame.pts)
            self._size, plan = frame.size, self._plan
            options, steadiness = self._move(frame, self._options)
            temporal = self._temporal_options(steadiness)
            paint_whole = partial(self._paint_whole, options=options, temporal=temporal)
            if plan.is_off:
                self._layers.close()
                return frame.with_image(paint_whole(frame))
            main = MainNetwork(
                paint_whole,
                lambda pixels: self._backend.run(pixels, options),
                (self._shown.styles, self._shown.mix),
            )
            painted = self._layers.paint(frame, plan, main, options, temporal)
            if not self._layers.used_main:
                self._continuity.reset()
            return painted

    def _paint_whole(self, frame: Frame, options: RenderOptions, temporal: TemporalOptions) -> Pixels:
        context = self._make_context(frame, options, temporal)
        try:
            return self._backend.run(frame.pixels, options, context)
        except BaseException:
            if context is not None and context.begins:
                self._continuity.reset()  # then the next frame does
            raise

    def _move(self, frame: Frame, options: RenderOptions) -> tuple[RenderOptions, float]:
        """The options and the steadiness of a frame, and the style that it needs on the device."""
        following = self._following
        if following is None:
            return options, self._steadiness
        movement = following.follower.at(frame.pts)
        following.begin(self._wanted, movement)
        look = following.look(movement, options)
        if look != following.shown:
            look = self._take_look(following, look, frame, options)
        return move_options(options, movement, look), move_steadiness(self._steadiness, movement)

    def _take_look(self, following: Following, look: Look, frame: Frame, options: RenderOptions) -> Look:
        """Paint in another look from this frame on, or in the one before if the frame must not wait."""
        shown, backend = following.shown, self._backend
        look = following.next_look(look, options)
        styles = following.styles(look)
        if isinstance(backend, CpuBackend) and not self._shown.mix.share:
            size = change_options(options, stroke=look.stroke).working_size(frame.size)
            itemsize = frame.image.itemsize if isinstance(frame.image, np.ndarray) else 1
            wanted = Wanted(styles.checkpoints[self._shown.mix.first], size, itemsize)
            if following.follower.waits:
                backend.hold(wanted.checkpoint, wanted.size, wanted.itemsize)
            elif shown is not None and not backend.holds(wanted.checkpoint, wanted.size, wanted.itemsize):
                following.wanted = wanted
                return shown
        following.shown, self._holds = look, True
        self._shown.change(styles)  # in place: images go on following from each other
        return look

    def _temporal_options(self, steadiness: float) -> TemporalOptions:
        economy = self.economy if self.can_save else None
        return TemporalOptions(steadiness, economy, resizes=self._following is not None)

    def _make_context(
        self, frame: Frame, options: RenderOptions, temporal: TemporalOptions
    ) -> TemporalContext | None:
        """How the image is to follow from the one before, if it is to and something of it is shown."""
        if not options.strength:
            self._continuity.reset()  # no video to go on with
            return None
        return self._continuity.follow(frame, temporal)

    def paint_in_place(self, image: Strips) -> None:
        """Paint one large image where it lies, so that there is never more than one of it in memory.

        The same as calling the stylizer with it, but for roundings. No video goes on with it.

        Args:
            image: of more than 16 megapixels, no side longer than 65,535.
        """
        with self._painting:
            self.reset()
            if not self._plan.is_off:
                whole = Frame(image.rows(0, image.size[1]), Fraction(0), 0.0, 0)
                image.put(0, self._paint(whole).pixels)
                return
            self._apply_style(Fraction(0))
            options = self._options
            small = shrink_by_strips(image.size, options.working_size(image.size), image.rows)
            composite_in_strips(self._backend.paint_small(small), image.size, options, image.rows, image.put)

    def stream(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """Paint frames in order; on a GPU several are under way at once.

        A change of style counts from the next frame that is painted on; all else is as at the start.
        """
        if not self._plan.is_off:
            yield from map(self._paint, frames)
            return
        painted = self._backend.stream(self._jobs(frames, self._options))
        while True:
            with self._painting:  # and not from one image to the next: others have their turn between them
                frame = next(painted, None)
            if frame is None:
                return
            yield frame

    def _jobs(self, frames: Iterable[Frame], given: RenderOptions) -> Iterator[FrameJob]:
        """The frames; the backend, which works on each as soon as it has it, gets its style before."""
        for frame in frames:
            self._apply_style(frame.pts)
            options, steadiness = self._move(frame, given)
            yield frame, options, self._make_context(frame, options, self._temporal_options(steadiness))

    def save_state(self) -> bytes:
        """What the next frame depends on beside its input; empty without steadiness and layers."""
        with self._painting:
            layers = {} if self._plan.is_off else self._layers.memory()
            return pack_state({**pack_network(self._shown, self._continuity), **layers})

    def restore_state(self, state: bytes | None) -> None:
        """Go on as after `save_state`; with None or nothing, as before the first frame.

        Raises:
            ValueError: not a saved state.
        """
        with self._painting:
            self.reset()
            if not state:
                return
            with unpacked_state(state) as arrays:
                if self._steadiness and (self._plan.is_off or "mix" in arrays):
                    unpack_network(arrays, self._shown, self._continuity)
                if not self._plan.is_off:
                    self._layers.remember(arrays, self._plan)

    def warm_up(self, size: tuple[int, int]) -> None:
        """Paint grey images, so that the first real ones of this (width, height) are not slow."""
        width, height = size
        for _ in range(2 if self._steadiness else 1):  # the second follows from the first
            self(np.full((height, width, 3), 128, np.uint8))
        self.reset()

    def _apply_style(self, when: Fraction) -> None:
        """Bring the weights for this time to the device, if they are not there yet."""
        with self._setting:
            pending, self._pending = self._pending, None
        following = self._following
        if following is None and self._holds:
            self._holds = False
            if isinstance(self._backend, CpuBackend):
                self._backend.release()
        moves = following is not None and following.shown is not None
        if pending is not None and not (moves and pending.timeline is self._shown.styles.timeline):
            goes_on = pending is self._refined and pending.timeline is self._shown.styles.timeline
            self._shown.change(pending)
            if not goes_on:
                self._continuity.reset()
        if self._shown.follow(when):
            self._continuity.reset()

    def close(self) -> None:
        """Release device memory. May be called twice."""
        self._layers.close()
        self._chosen.close()


def _layers_in(settings: EngineSettings) -> dict[str, Any]:
    """The layers that a command's settings ask for; none of one that has none."""
    kinds = LayerOptions.model_fields if isinstance(settings, LayerOptions) else ()
    return {name: getattr(settings, name) for name in kinds}
