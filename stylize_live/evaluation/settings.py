"""Settings of an evaluation: their names, ranges, defaults and help."""

from __future__ import annotations

from pydantic import Field

from stylize_live.validation import Settings


class EvaluationSettings(Settings):
    """Settings of an evaluation on photos."""

    size: int = Field(default=360, ge=64, le=2160, description="Short side the photos are scaled to.")
    optimised: int = Field(
        default=0,
        ge=0,
        le=10**9,
        description="How many of the photos are also painted by optimisation, which takes minutes for each.",
    )
    iterations: int = Field(default=300, ge=10, le=1000, description="How far optimisation goes.")
