"""`stylize-live evaluate`: figures that tell how good the results are."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

from cyclopts import Group, Parameter, validators

from stylize_live.config import DEFAULT_STYLE, EngineSettings
from stylize_live.errors import UsageError
from stylize_live.evaluation.settings import EvaluationSettings
from stylize_live.options import PaintingOptions

_PHOTOS = Group("On photos", sort_key=1)
_VIDEOS = Group("On videos", sort_key=2)
_BOTH = Group("On both", sort_key=3)


class _Engine(EngineSettings):
    """How to paint; the styles are named by themselves."""

    style: Annotated[str, Parameter(parse=False)] = DEFAULT_STYLE


_DEFAULT_SETTINGS = EvaluationSettings()
_DEFAULT_ENGINE = _Engine()
_Several = Parameter(consume_multiple=True, negative="")


def evaluate(
    *styles: str,
    photos: Annotated[list[Path] | None, _Several, Parameter(group=_PHOTOS)] = None,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"], group=_PHOTOS)] = None,
    paintings: Annotated[list[str] | None, _Several, Parameter(group=_PHOTOS)] = None,
    features: Annotated[Path | None, Parameter(group=_PHOTOS)] = None,
    lpips: Annotated[Path | None, Parameter(group=_PHOTOS)] = None,
    settings: Annotated[EvaluationSettings, Parameter(name="*", group=_PHOTOS)] = _DEFAULT_SETTINGS,
    steadiness: Annotated[list[Path] | None, _Several, Parameter(group=_VIDEOS)] = None,
    amount: Annotated[
        float | None, Parameter(group=_VIDEOS, validator=validators.Number(gte=0, lte=1))
    ] = None,
    frames: Annotated[
        int | None, Parameter(group=_VIDEOS, validator=validators.Number(gte=2, lte=10**9))
    ] = None,
    compare: Annotated[Path | None, Parameter(group=_VIDEOS)] = None,
    plot: Annotated[Path | None, Parameter(group=_VIDEOS)] = None,
    overwrite: Annotated[bool | None, Parameter(group=_VIDEOS, negative="")] = None,
    json: Annotated[bool, Parameter(group=_BOTH)] = False,
    engine: Annotated[_Engine, Parameter(name="*", group=_BOTH)] = _DEFAULT_ENGINE,
) -> int:
    """Measure how good styles are on photos, or how steady one is on videos.

    For example:

      evaluate great-wave --photos photos/ --paintings wave.jpg -o report/
      evaluate great-wave --steadiness holiday.mp4

    On photos, the report is a page with a table, a plot and images: likeness
    to the original (RMSE, PSNR, SSIM, LPIPS), stroke energy, time of one
    image; and with the paintings at hand, content error and two distances
    from the painting's texture, of Gram matrices (style error) and sliced
    Wasserstein. All of these are helpers and not the judge: how good a style
    looks is decided by blind pairs, see docs/blind.md. With --optimised some
    photos are also painted by optimisation, as images to compare with; it
    takes minutes for each, and finished ones are kept in the report, so that the
    same command goes on after Ctrl-C.

    On videos, smoothing is judged: warp error (difference between a frame and
    the one before it, moved along with the input) and flicker of still places,
    of the input, of the network alone and smoothed; contrast and gradient
    energy of the smoothed video relative to the network's.

    Parameters
    ----------
    styles
        Names of styles, style files or blends; on photos, all styles if none is named.
    photos
        Images, and folders of images: of a large folder the twelve that training keeps out of it.
    output
        Folder for the report: index.html, figures.json and the images.
    paintings
        What the styles were learned from: files or folders, matched by name (hokusai-great-wave-1831.jpg
        is great-wave's), or NAME=FILE. Without it there are no style and content errors.
    features
        VGG16 weights as safetensors; without it those in the file of --lpips, or else torchvision's,
        which are downloaded once.
    lpips
        Weights of LPIPS with VGG16, as safetensors; without it there is no LPIPS.
    steadiness
        Videos to paint, in one style.
    amount
        Steadiness to judge, 0 to 1; default is that of live and convert.
    frames
        Stop each video after so many frames, at least 2.
    compare
        Folder for videos of input, network and smoothed, side by side.
    plot
        Draw curves over time into this page, .html, or image, .svg.
    overwrite
        Replace such videos and curves that already exist.
    json
        Print the result as JSON, alone on standard output.
    """
    if (photos is None) == (steadiness is None):
        raise UsageError("nothing to measure: give --photos, or --steadiness with videos")
    if photos is not None:
        from stylize_live.cli.evaluate_photos import evaluate_photos

        others = {"--amount": amount, "--frames": frames, "--compare": compare, "--plot": plot}
        _refuse("--photos", {**others, "--overwrite": overwrite})
        if output is None:
            raise UsageError("--photos needs a folder for the report: --output DIR")
        evaluate_photos(
            list(styles),
            photos,
            output,
            paintings or [],
            features,
            lpips,
            settings,
            _without_style_flag(engine),
            json=json,
        )
    elif steadiness is not None:
        from stylize_live.cli.evaluate_videos import evaluate_videos

        on_photos = {"--output": output, "--paintings": paintings, "--features": features, "--lpips": lpips}
        _refuse("--steadiness", on_photos | _changed_options(settings))
        if len(styles) > 1:
            raise UsageError(f"--steadiness judges one style at a time, got {len(styles)}")
        chosen = _without_style_flag(engine).model_copy(
            update={"style": styles[0] if styles else DEFAULT_STYLE}
        )
        evaluate_videos(
            steadiness,
            chosen,
            amount=PaintingOptions().steadiness if amount is None else amount,
            frames=frames,
            compare=compare,
            plot=plot,
            overwrite=bool(overwrite),
            json=json,
        )
    return 0


def _without_style_flag(engine: _Engine) -> EngineSettings:
    return EngineSettings(**engine.model_dump())


def _changed_options(settings: EvaluationSettings) -> dict[str, object]:
    """Values that differ from the defaults, by option."""
    usual = _DEFAULT_SETTINGS.model_dump()
    return {f"--{name}": value for name, value in settings.model_dump().items() if value != usual[name]}


def _refuse(mode: str, others: Mapping[str, object]) -> None:
    """Refuse options of the other mode: they would do nothing, silently."""
    wrong = [name for name, value in others.items() if value is not None]
    if wrong:
        raise UsageError(f"{wrong[0]} has no meaning with {mode}")
