"""`stylize-live convert`: video files."""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import closing, nullcontext
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from cyclopts import Parameter, Token

from stylize_live.cli.advice import advise
from stylize_live.cli.cluster_display import ClusterDisplay
from stylize_live.cli.completion import complete_style_names
from stylize_live.cli.console import fail, hide_warnings, warn
from stylize_live.cli.convert_display import ConvertDisplay
from stylize_live.cli.convert_output import choose_printer, json_line, print_dry_run, say_total
from stylize_live.cli.learning import learn_style
from stylize_live.cli.machine import tune_process
from stylize_live.cli.paintings import say_paintings
from stylize_live.cli.targets import refuse_background
from stylize_live.cli.unused_options import say_unused
from stylize_live.config import ConvertSettings, merge_config, names_several
from stylize_live.errors import EXIT_OK, UsageError
from stylize_live.install_hints import PROGRAM
from stylize_live.storage.places import Place, StorageUrl, place_of
from stylize_live.system.clock import monotonic
from stylize_live.system.commands import quote
from stylize_live.system.wildcards import expand

if TYPE_CHECKING:
    from stylize_live.cluster.crew import WorkerSpec
    from stylize_live.conversion.progress import ConvertReport
    from stylize_live.conversion.queue import ConversionJob, ConversionOutcome
    from stylize_live.engine import Stylizer
    from stylize_live.frame import Pixels

_DEFAULT_SETTINGS = ConvertSettings()


def _read_place(kind: object, tokens: Sequence[Token]) -> Place:
    return place_of(tokens[0].value)


complete_style_names(ConvertSettings)


def convert(
    *videos: Annotated[Place, Parameter(converter=_read_place, accepts_keys=False, n_tokens=1)],
    output: Annotated[str | None, Parameter(name=["--output", "-o"])] = None,
    include: Annotated[list[str] | None, Parameter(negative="")] = None,
    exclude: Annotated[list[str] | None, Parameter(negative="")] = None,
    overwrite: bool = False,
    restart: bool = False,
    work_folder: Path | None = None,
    dry_run: bool = False,
    json: bool = False,
    before_after: Path | None = None,
    cluster: str | None = None,
    config: Path | None = None,
    settings: Annotated[ConvertSettings, Parameter(name="*")] = _DEFAULT_SETTINGS,
) -> int:
    """Paint videos. Sound, subtitles, chapters and the times of all frames are kept.

    As with cp, the last name is where the result goes, unless --output says so:

      convert holiday.mp4 painted.mp4         a file into a file
      convert a.mp4 b.mp4 videos/ painted/     files and folders into a folder
      convert videos/ -o "out/{stem}-{style}.mp4"
      convert s3://bucket/videos/ s3://bucket/painted/    storage, by URL

    Whatever ends a run, the same command goes on where it stopped. Of several
    videos, those whose target is there are skipped, and a bad one does not stop
    the others.

    Ends with code 10 when not everything came out whole: a source was damaged or
    cut off (what could be read was painted), or some of several videos failed.

    Parts of a pattern: {stem} and {extension} of the source's name, {style},
    {folder} below the one given, {suffix} of the result with its dot.

    Parameters
    ----------
    videos
        Videos, folders of videos, URLs of either, numbered images (frames/%05d.png), or - for standard
        input; and the target if there is no --output.
    output
        For one video a file: .mp4, .m4v, .mov, .mkv or .webm, for short clips .gif or .webp, numbered
        images, or - for Matroska on standard output. For several a folder or a pattern. URLs, too.
    include
        Of folders, take only names or paths like this, such as "*.mov"; may be repeated.
    exclude
        Of folders, leave out names or paths like this; may be repeated.
    overwrite
        Replace targets that exist.
    restart
        Begin anew, even if an interrupted run has left finished segments.
    work_folder
        Where copies of sources on storage (s3://...) are kept while they are painted, and segments of
        targets there; the user's cache folder if not given.
    dry_run
        Only print what would be made.
    json
        Print the result as JSON, alone on standard output (on standard error, if the video goes to
        standard output).
    before_after
        Save one frame, original and painted side by side, as jpg, png or webp.
    cluster
        Paint on a Ray cluster, several parts of a video at the same time: host:port of one, or auto for that
        of this machine; without one, this machine alone. All machines must see the videos, or may read
        their URLs.
    config
        TOML file of settings; options given here win.
    """
    from stylize_live.conversion.convert import check_paths
    from stylize_live.conversion.queue import plan_jobs
    from stylize_live.storage.remote import is_folder

    settings = merge_config(settings, config)
    inputs, output = _inputs_and_output(videos, output, work_folder)
    jobs = plan_jobs(
        inputs,
        output,
        style=settings.style,
        include=include or (),
        exclude=exclude or (),
        work_folder=work_folder,
    )
    single = len(inputs) == 1 and not is_folder(inputs[0])
    if single:
        check_paths(jobs[0].source, jobs[0].target, overwrite)
    workers = _workers_here(settings, cluster)
    if before_after is not None and (cluster is not None or workers):
        out = f"--device {settings.device}" if workers else "--cluster"
        raise UsageError(f"--before-after is for one machine, leave it or {out} out")
    if before_after is not None:
        _check_image(before_after, overwrite, single)
    refuse_background([job.target for job in jobs if isinstance(job.target, Path)], settings.background)
    say_unused(settings)
    if dry_run:
        one = settings.model_copy(update={"device": workers[0].device}) if workers else settings
        on_cluster = cluster is not None or bool(workers)
        if on_cluster:
            import stylize_live.cluster.ray_library  # noqa: F401 (whether it is there)
        with _open_stylizer(one) as stylizer:
            return print_dry_run(jobs, single, stylizer, settings, overwrite, json, on_cluster=on_cluster)
    settings = learn_style(settings, lambda: _sample(jobs, settings))
    advise(settings)
    say_paintings(settings.style, settings.background_style)
    crew = (cluster, workers) if cluster is not None else ("local", workers) if workers else None
    outcomes, seconds = _run(jobs, single, settings, overwrite, restart, json, crew)
    return _conclude(outcomes, single, seconds, json, before_after)


def _sample(jobs: list[ConversionJob], settings: ConvertSettings) -> list[Pixels]:
    """Frames of the videos to practise on; what comes by a pipe or a URL gives none."""
    from stylize_live.conversion.practice_frames import sample_frames
    from stylize_live.media.formats.pipes import is_pipe

    sources = [job.source for job in jobs if isinstance(job.source, Path)]
    return sample_frames([source for source in sources if not is_pipe(source)], settings)


def _workers_here(settings: ConvertSettings, cluster: str | None) -> list[WorkerSpec] | None:
    """Those for several GPUs of this machine, if there are to be several without a cluster."""
    if cluster is not None or not names_several(settings.device):
        return None
    from stylize_live.cluster.placing import workers_here

    return workers_here(settings.device) or None


def _inputs_and_output(
    videos: Sequence[Place], output: str | None, work_folder: Path | None = None
) -> tuple[list[Place], str]:
    if output is not None:
        return _expand(videos, work_folder), output
    if len(videos) < 2:
        raise UsageError(f"say where the result goes, too: {_example(videos)}")
    target = videos[-1]
    return _expand(videos[:-1], work_folder), target.text if isinstance(target, StorageUrl) else str(target)


def _expand(videos: Sequence[Place], work_folder: Path | None) -> list[Place]:
    """What is meant by names with * and ?: of URLs everywhere, of paths where shells leave that to us."""
    from stylize_live.storage.remote import match_files

    found: list[Place] = []
    for video in videos:
        if isinstance(video, Path):
            found += expand([video])
            continue
        url = replace(video, work_folder=work_folder)
        found += match_files(url) if any(sign in url.text for sign in "*?") else [url]
    return found


def _example(videos: Sequence[Place]) -> str:
    """A command for what was named without a target."""
    from stylize_live.media.formats.codecs import FORMATS

    video = videos[0] if videos else Path("holiday.mp4")
    if isinstance(video, Path) and video.is_dir():
        target = "painted/"
    else:
        stem = "painted" if video.stem != "painted" else "result"
        target = stem + (video.suffix if video.suffix.lower() in FORMATS else ".mp4")
    return f"{PROGRAM} convert {quote(str(video))} {target}"


def _open_stylizer(settings: ConvertSettings) -> Stylizer:
    from stylize_live.engine import Stylizer

    return Stylizer.from_settings(settings, crossfade=settings.crossfade, steadiness=settings.steadiness)


def _open_stylizer_in_subprocess(settings: ConvertSettings) -> Stylizer:
    """The same in a process that has just started."""
    tune_process()
    hide_warnings()
    return _open_stylizer(settings)


def _convert_jobs(
    jobs: list[ConversionJob],
    settings: ConvertSettings,
    overwrite: bool,
    restart: bool,
    display: ConvertDisplay,
) -> Generator[ConversionOutcome, None, None]:
    """Convert one video here, several in a process that may crash; only this one can read standard input."""
    from stylize_live.conversion.queue import convert_all
    from stylize_live.conversion.worker_process import convert_in_subprocess
    from stylize_live.media.formats.pipes import PIPE

    in_subprocess = len(jobs) > 1 and all(PIPE not in (job.source, job.target) for job in jobs)
    open_there = partial(_open_stylizer_in_subprocess, settings)
    with nullcontext() if in_subprocess else _open_stylizer(settings) as stylizer:
        run = (
            partial(convert_all, jobs, stylizer)
            if stylizer
            else partial(convert_in_subprocess, jobs, open_there)
        )
        yield from run(
            settings,
            overwrite=overwrite,
            restart=restart,
            on_start=display.start,
            on_progress=display.progress,
        )


def _convert_on_cluster(
    jobs: list[ConversionJob],
    settings: ConvertSettings,
    overwrite: bool,
    restart: bool,
    display: ClusterDisplay,
    address: str,
    workers: list[WorkerSpec] | None,
) -> Generator[ConversionOutcome, None, None]:
    """Convert videos by many workers; they end in any order."""
    from stylize_live.cluster.convert_all import convert_all

    display.await_workers()
    return convert_all(
        jobs,
        settings,
        workers,
        address=address,
        make=_open_stylizer_in_subprocess,
        overwrite=overwrite,
        restart=restart,
        on_start=display.start,
        on_progress=display.show,
    )


def _run(
    jobs: list[ConversionJob],
    single: bool,
    settings: ConvertSettings,
    overwrite: bool,
    restart: bool,
    json: bool,
    crew: tuple[str, list[WorkerSpec] | None] | None,
) -> tuple[list[ConversionOutcome], float]:
    """Convert all, each outcome said as it comes."""
    outcomes: list[ConversionOutcome] = []
    began = monotonic()
    with ClusterDisplay(jobs, single, settings, overwrite=overwrite, restart=restart, json=json) as display:
        common = jobs, settings, overwrite, restart, display
        run = _convert_jobs(*common) if crew is None else _convert_on_cluster(*common, *crew)
        try:
            # Closed before anything is said: what works in another process may finish a segment until then.
            with closing(run) as finished:
                for outcome in finished:
                    outcomes.append(outcome)
                    display.finish(outcome)
        except KeyboardInterrupt:
            display.interrupt()
            raise
    order = {job: number for number, job in enumerate(jobs)}
    outcomes.sort(key=lambda outcome: order[outcome.job])
    return outcomes, monotonic() - began


def _conclude(
    outcomes: list[ConversionOutcome], single: bool, seconds: float, json: bool, before_after: Path | None
) -> int:
    """Last words, and the exit code."""
    from stylize_live.conversion.queue import exit_code

    if single and outcomes[0].error is not None:
        if not json:
            raise outcomes[0].error
        fail(str(outcomes[0].error))
    report = outcomes[0].report if single else None
    if before_after is not None and report is not None:
        _save_pair(before_after, report)
    if not single:
        say_total(outcomes, seconds)
    code = exit_code(outcomes) if outcomes else EXIT_OK
    say = choose_printer([outcome.job for outcome in outcomes])
    if json:
        say(json_line(outcomes, seconds, code))
    elif before_after is not None and report is not None:
        say(f"before and after: {before_after}")
    return code


def _check_image(path: Path, overwrite: bool, single: bool) -> None:
    """Hours of work must not end in a wrong suffix."""
    from stylize_live.errors import SinkError
    from stylize_live.media.image.io import image_format

    if not single:
        raise UsageError("--before-after is for one video, these may be several")
    image_format(path)
    if path.exists() and not overwrite:
        raise UsageError(f"{path}: already exists, use --overwrite to replace it")
    if not path.parent.is_dir():
        raise SinkError(f"{path}: the folder {path.parent} does not exist, make it first")


def _save_pair(path: Path, report: ConvertReport) -> None:
    import numpy as np

    from stylize_live.frame import to_eight_bits
    from stylize_live.media.image.io import Still, write_image

    if report.pair is None:
        warn(f"{path}: not written, all frames were painted by earlier runs")
        return
    before, after = map(to_eight_bits, report.pair)
    beside = after.shape[1] > before.shape[1]  # side by side already
    write_image(path, Still(after if beside else np.concatenate([before, after], axis=1)))
