"""Settings of training: their names, ranges, defaults and help."""

from __future__ import annotations

from pydantic import Field

from stylize_live.validation import Settings

_MOST_WEIGHT = 1e6  # of any error: more than that is a slip
_MOST_STEPS = 10**9


class TrainSettings(Settings):
    """Settings of a training run; the defaults suit a normal painting."""

    steps: int | None = Field(
        default=None, ge=1, le=_MOST_STEPS, description="Stop after so many steps (repeatable by seed)."
    )
    minutes: float | None = Field(
        default=None,
        gt=0,
        le=_MOST_STEPS,
        description="Stop after so many minutes; 10, or 3 with --keyframe, if no steps are given.",
    )
    batch: int | None = Field(
        default=None,
        ge=1,
        le=256,
        description="Crops in a batch; on a CPU 2, or 1 where it is slow, 32 on a GPU.",
    )
    crop: int | None = Field(
        default=None,
        ge=64,
        le=1024,
        multiple_of=8,
        description="Side of a training crop in pixels; on a CPU up to 192, as it is fast, 256 on a GPU.",
    )
    painting_size: int = Field(
        default=720,
        ge=64,
        le=1024,
        description="Short side the painting is scaled down to; smaller gives finer strokes.",
    )
    painting_blur: float = Field(
        default=0.4,
        ge=0,
        le=10,
        description="Pixels the painting is softened by; detail that the network cannot draw becomes a mesh.",
    )
    contrast: float = Field(
        default=1.4,
        ge=0,
        le=3,
        description="Contrast of light and dark that is aimed at, as a multiple of the painting's.",
    )
    saturation: float = Field(
        default=1.4, ge=0, le=3, description="Strength of the colors that are aimed at, likewise."
    )
    palette: int = Field(
        default=0,
        ge=0,
        le=32,
        description="Flat areas in so many of the painting's colors, as in a print or a poster; 0 for any.",
    )
    lines: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="How dark outlines are drawn, as in a print, a drawing or stained glass.",
    )
    brightness: float = Field(
        default=0.0,
        ge=0,
        le=4,
        description="How much of the photo's own light and dark is added to every result; 2 keeps its grain.",
    )
    style_weight: float = Field(
        default=4.0, ge=0, le=_MOST_WEIGHT, description="Weight of the relative style error."
    )
    content_weight: float = Field(
        default=2.5,
        ge=0,
        le=_MOST_WEIGHT,
        description="Weight of the relative content error; more keeps the subject clearer.",
    )
    color_weight: float = Field(
        default=120.0,
        ge=0,
        le=_MOST_WEIGHT,
        description="Weight of light, dark and colors lying where they should.",
    )
    pixel_weight: float = Field(
        default=5.0,
        ge=0,
        le=_MOST_WEIGHT,
        description="Weight of each pixel having the color it should; more keeps areas flat and clean.",
    )
    fine_weight: float = Field(
        default=0.6,
        ge=0,
        le=_MOST_WEIGHT,
        description="Share of the finest style layer; more hatches flat places.",
    )
    deep_weight: float = Field(
        default=0.3,
        ge=0,
        le=_MOST_WEIGHT,
        description="Share of the deepest style layer; more repeats the painting's motifs.",
    )
    coarse_weight: float = Field(
        default=1.5,
        ge=0,
        le=_MOST_WEIGHT,
        description="Share of the style error of the image at half size; more gives longer strokes.",
    )
    pooled: float = Field(
        default=0.4,
        ge=0,
        le=1,
        description="Share of the style error measured over several crops together; less fills flat places.",
    )
    variation_weight: float = Field(
        default=0.1, ge=0, le=_MOST_WEIGHT, description="Weight of total variation."
    )
    steady_weight: float = Field(
        default=20.0, ge=0, le=_MOST_WEIGHT, description="Weight of agreement between two views."
    )
    colors: float = Field(
        default=0.12,
        ge=0,
        le=0.9,
        description="Share of the run for colors alone, which are learnt quickly; strokes come after them.",
    )
    match: float = Field(
        default=0.0,
        ge=0,
        le=1,
        description="How far colors are brought to the painting's at the end; 0.7 makes a pale style vivid.",
    )
    rate: float = Field(default=1.3e-3, gt=0, le=0.1, description="Peak learning rate; 3e-3 with --keyframe.")
    seed: int = Field(default=0, ge=0, lt=2**63, description="Start of every random sequence.")


# What the shipped styles are trained with, by and large (benchmarks/gallery.toml): for paintings that nobody
# has chosen weights for.
USUAL_RECIPE = TrainSettings(
    contrast=1.2,
    saturation=1.2,
    style_weight=8,
    content_weight=6,
    pixel_weight=1,
    color_weight=60,
    deep_weight=0.4,
    coarse_weight=2,
)
