"""`stylize-live train`: a painting becomes a style."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from stylize_live.cli.console import print_line, stderr
from stylize_live.config import DeviceName
from stylize_live.training.settings import TrainSettings

if TYPE_CHECKING:
    from stylize_live.training.run import Job, Result
    from stylize_live.training.trainer import Progress as State

_DEFAULT_SETTINGS = TrainSettings()
_LINE_EVERY = 50  # steps, where the progress goes to a file and not to a terminal


def train(
    painting: Path,
    /,
    *more: Path,
    output: Annotated[Path, Parameter(name=["--output", "-o"])],
    photos: Path,
    features: Path | None = None,
    start: str = "base",
    name: str | None = None,
    title: str = "",
    artist: str = "",
    year: str = "",
    licence: str = "",
    credit: str = "",
    previews: Path | None = None,
    restart: bool = False,
    device: DeviceName = "auto",
    settings: Annotated[TrainSettings, Parameter(name="*")] = _DEFAULT_SETTINGS,
) -> int:
    """Train a new style from a painting or any other picture.

    Ctrl-C keeps what was learnt: the same command goes on from there.

    Parameters
    ----------
    painting
        Picture to learn from.
    more
        Further pictures: the result is then a neutral base to start styles from.
    output
        Style file to write, ending in .safetensors.
    photos
        Folder of ordinary photos to practise on; a hundred or more is good.
    features
        VGG16 weights as safetensors; without it torchvision's are downloaded once.
    start
        Style to start from: 'base' (quick, and can be blended with the shipped ones),
        'scratch', a style name or a file.
    name
        Name to store; default is the output's file name.
    title
        Title of the painting.
    artist
        Painter.
    year
        Year of the painting.
    licence
        Licence of the picture.
    credit
        Where the picture is from.
    previews
        Folder for preview pictures; default is OUTPUT-previews.
    restart
        Start over instead of going on with an unfinished run.
    device
        Where to train.
    """
    from stylize_live.engine.device import choose_device
    from stylize_live.nets.catalogue import BASE, style_path
    from stylize_live.nets.checkpoint import StyleInfo
    from stylize_live.training.run import Job
    from stylize_live.training.run import train as run_training

    begin = {"base": BASE, "scratch": None}.get(start) if start in ("base", "scratch") else style_path(start)
    job = Job(
        paintings=[painting, *more],
        photos=photos,
        features=features,
        target=output,
        start=begin,
        previews=previews or output.with_name(f"{output.stem}-previews"),
        info=StyleInfo(name or output.stem, title, artist, year, licence, credit),
        settings=settings,
    )
    with _progress_bar() as bar:
        task = bar.add_task("training", total=1.0, losses="", left="")

        def show(state: State) -> None:
            left = state.seconds / state.done * (1 - state.done)
            bar.update(
                task, completed=min(1.0, state.done), losses=_losses(state), left=_minutes(left) + " left"
            )
            if not stderr.is_terminal and state.step % _LINE_EVERY == 0:
                stderr.print(f"{state.done:4.0%}  {_losses(state)}")

        result = run_training(job, choose_device(device), restart=restart, on_step=show)
    _summary(job, result)
    return 0


def _progress_bar() -> Progress:
    return Progress(
        TextColumn("[bold]{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:3.0f} %"),
        TimeElapsedColumn(),
        TextColumn("{task.fields[left]}"),
        TextColumn("{task.fields[losses]}"),
        console=stderr,
        disable=not stderr.is_terminal,
    )


def _losses(state: State) -> str:
    return f"step {state.step}  " + "  ".join(f"{name} {value:.3f}" for name, value in state.terms.items())


def _minutes(seconds: float) -> str:
    return f"{int(seconds // 60)}:{int(seconds % 60):02d}"


def _summary(job: Job, result: Result) -> None:
    if result.resumed_at:
        print_line(f"went on from step {result.resumed_at}")
    if result.unreadable:
        print_line(f"{result.unreadable} photos could not be read and were skipped")
    progress, figures = result.progress, result.figures
    print_line(f"style     {job.target}")
    print_line(f"previews  {job.previews}")
    print_line(f"trained   {progress.step} steps in {progress.seconds / 60:.1f} minutes")
    print_line(
        f"errors    style {figures.style:.3f}, content {figures.content:.3f} "
        f"on {figures.photos} photos kept out of training"
    )
