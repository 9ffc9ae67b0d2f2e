"""`stylize-live train`: a painting becomes a style."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter

from stylize_live.cli.completion import list_devices
from stylize_live.cli.console import print_line, stderr
from stylize_live.cli.train_display import TrainDisplay
from stylize_live.config import DeviceName, explain_device
from stylize_live.errors import SinkError, SourceError, UsageError
from stylize_live.files import make_folder
from stylize_live.install_hints import PROGRAM
from stylize_live.system.wildcards import expand
from stylize_live.training.keyframe import Keyframe, keyframe_settings
from stylize_live.training.settings import TrainSettings
from stylize_live.wording import option

if TYPE_CHECKING:
    from stylize_live.training.job import TrainingJob, TrainingResult

_DEFAULT_SETTINGS = TrainSettings()
_NAMED = 3  # of the photos that were skipped


def train(
    painting: Path | None = None,
    /,
    *more: Path,
    keyframe: Annotated[list[str] | None, Parameter(metavar="FRAME=PAINTING", negative=())] = None,
    output: Annotated[Path | None, Parameter(name=["--output", "-o"])] = None,
    photos: Path | None = None,
    features: str = "vgg16",
    start: str = "base",
    name: str | None = None,
    title: str = "",
    artist: str = "",
    year: str = "",
    licence: str = "",
    credit: str = "",
    previews: Path | None = None,
    restart: bool = False,
    overwrite: bool = False,
    verbose: bool = False,
    device: Annotated[DeviceName, Parameter(completer=list_devices)] = "auto",
    settings: Annotated[TrainSettings, Parameter(name="*")] = _DEFAULT_SETTINGS,
) -> int:
    """Train a new style from a painting or any other image.

    The style is named after the image's file and is found by that name from then on:

      stylize-live train sunset.jpg
      stylize-live live --style sunset

    A frame of a video that you have painted over teaches how to paint the rest of its shot:

      stylize-live train --keyframe frame.png=painted.png

    Ctrl-C keeps what was learnt: a style that can be used as it is, and the same
    command goes on from there.

    Parameters
    ----------
    painting
        Image to learn from.
    more
        Further images: the result is then a neutral base to start styles from.
    keyframe
        A frame of a video, and what you have painted over it, in place of a painting; several as several
        options. What is transparent shows the frame.
    output
        Style file to write, ending in .safetensors; default is NAME in your folder of styles.
    photos
        Folder of ordinary photos to practise on, a hundred or more; default is your Pictures folder.
        With --keyframe, of other frames of the shot that are shown in the report, and none by default.
    features
        What images are compared by: vgg16, resnet50 (downloaded once), small (comes with the program), or a
        file of such weights.
    start
        Style to start from: 'base' (quick, and can be blended with the shipped ones),
        'scratch', a style name or a file. To go on with a style of the same painting, add --colors 0.
    name
        Name of the style; default is the file name of the output or of the image.
    title
        Title of the painting.
    artist
        Painter.
    year
        Year of the painting.
    licence
        Licence of the image.
    credit
        Where the image is from.
    previews
        Folder for preview images; default is OUTPUT-previews.
    restart
        Start over instead of going on with an unfinished run.
    overwrite
        Replace a style, a report or previews that are there already.
    verbose
        Show the plan, and the losses of the newest step.
    device
        Where to train.
    """
    if why := explain_device(device):
        raise UsageError(why)
    keyframes = tuple(map(Keyframe.parse, keyframe or ()))
    paintings = _paintings(painting, more, keyframes)
    # What was typed comes first, and before PyTorch, which takes its time.
    _check_there([*paintings, *(pair.frame for pair in keyframes)])
    if keyframes:
        settings = keyframe_settings(settings)

    from stylize_live.engine.torch_device import choose_torch_device
    from stylize_live.nets.catalogue import style_path
    from stylize_live.nets.checkpoint import StyleInfo, is_unfinished
    from stylize_live.nets.style_folders import BASE
    from stylize_live.training.job import TrainingJob
    from stylize_live.training.run import train_style as run_training

    target = _target(paintings[0], output, name, is_base=len(paintings) > 1 and not keyframes)
    info = StyleInfo(
        target.stem if output is None else name or target.stem, title, artist, year, licence, credit
    )
    if info.unfit:
        raise UsageError(f"the style's {info.unfit} must fit on one line, without control characters")
    begin = {"base": BASE, "scratch": None}.get(start) if start in ("base", "scratch") else style_path(start)
    job = TrainingJob(
        paintings=paintings,
        photos=photos or (None if keyframes else _own_photos()),
        features=features,
        target=target,
        start=begin,
        previews=previews or target.with_name(f"{target.stem}-previews"),
        info=info,
        settings=settings,
        keyframes=keyframes,
    )
    if not overwrite:
        _refuse_existing(job, "-o" if output else "--name")
    with TrainDisplay(target.stem, job.report_path, verbose=verbose) as display:
        try:
            result = run_training(
                job, choose_torch_device(device), restart=restart, on_step=display.step, on_note=display.note
            )
        except KeyboardInterrupt:
            if job.state_path.exists():
                command = "the same command" + (" without --restart" if restart else "")
                stderr.print(f"what was learnt is kept: {command} goes on from there")
            if is_unfinished(job.target):
                stderr.print(f"unfinished, but ready to use: {job.use}", markup=False)
            raise
    _summary(job, result)
    return 0


def _paintings(painting: Path | None, more: tuple[Path, ...], keyframes: tuple[Keyframe, ...]) -> list[Path]:
    """The images to learn from.

    Raises:
        UsageError: there are none, or both kinds.
    """
    if keyframes and painting:
        raise UsageError(f"{painting}: with {option('keyframe')}, its painting alone is learnt from")
    if keyframes:
        return [pair.painting for pair in keyframes]
    if painting is None:
        raise UsageError(f"which painting? For example: {PROGRAM} train sunset.jpg")
    return expand([painting, *more])


def _check_there(paintings: list[Path]) -> None:
    """Raise `SourceError` for the first one that is not there."""
    for path in paintings:
        if not path.exists():
            raise SourceError(f"{path}: no such file")


def _refuse_existing(job: TrainingJob, option: str) -> None:
    """Refuse to replace what already exists.

    Args:
        job: the run that is about to begin.
        option: what names the style file, and with it all others.

    Raises:
        SinkError: the run would replace something.
    """
    for path in job.in_the_way():
        other = "--previews" if path.parent == job.previews else option
        raise SinkError(f"{path}: already exists: --overwrite to replace it, or another {other}")


def _target(painting: Path, output: Path | None, name: str | None, *, is_base: bool) -> Path:
    """The file to write.

    Raises:
        UsageError: the name is taken by a shipped style, or there is none.
        SinkError: the user's folder of styles cannot be made, or the name is too long.
    """
    from stylize_live.nets.style_folders import LONGEST_NAME, own_folder, style_name, taken_names

    if output is not None:
        if len(os.fsencode(output.stem)) > LONGEST_NAME:
            raise SinkError(f"{output}: the name is too long: {LONGEST_NAME} bytes at most")
        return output
    if is_base:
        raise UsageError("several images make a base: say with --output which file to write")
    word = style_name(name or painting.stem)
    if not word:
        raise UsageError(f"{name or painting.name!r} makes no name for a style: give one with --name")
    if word in taken_names():
        raise UsageError(f"the name {word!r} is taken by a style of the program: give another with --name")
    folder = own_folder()
    make_folder(folder)
    return folder / f"{word}.safetensors"


def _own_photos() -> Path:
    """The user's Pictures folder.

    Raises:
        UsageError: there is none, or it has no images.
    """
    from platformdirs import user_pictures_path

    from stylize_live.errors import TrainingError
    from stylize_live.training.dataset import find_photos

    folder = user_pictures_path()
    try:
        find_photos(folder)
    except TrainingError:
        raise UsageError(
            f"no photos to practise on in {folder}: name a folder of ordinary photos with --photos"
        ) from None
    return folder


def _summary(job: TrainingJob, result: TrainingResult) -> None:
    from stylize_live.training.dataset import photo_word, which_photos

    if result.resumed_at:
        print_line(f"went on from step {result.resumed_at}")
    if result.unreadable:
        names = ", ".join(path.name for path in result.unreadable[:_NAMED])
        more = ", ..." if len(result.unreadable) > _NAMED else ""
        count = len(result.unreadable)
        print_line(f"skipped   {count} {photo_word(count)} that could not be read: {names}{more}")
    progress, figures = result.progress, result.figures
    print_line(f"style     {job.target}")
    print_line(f"report    {job.report_path}")
    print_line(f"previews  {job.previews}")
    print_line(f"trained   {progress.step} steps in {progress.seconds / 60:.1f} minutes")
    print_line(
        f"errors    style {figures.style:.3f}, content {figures.content:.3f} "
        f"on {figures.photos} {which_photos(figures.photos, kept_out=result.kept_out)}"
    )
    print_line(f"try it    {job.use}")
