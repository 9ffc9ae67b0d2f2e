"""Many videos, one after the other: where each goes, and how each ended."""

from __future__ import annotations

import logging
import os
import string
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatch
from pathlib import Path, PurePath
from typing import Literal

from stylize_live.config import ConvertSettings
from stylize_live.conversion.convert import convert
from stylize_live.conversion.progress import ConvertProgress, ConvertReport
from stylize_live.conversion.segment_store import remove_published
from stylize_live.conversion.stylizers import FrameStylizer
from stylize_live.errors import EXIT_OK, EXIT_PARTIAL, SinkError, SourceError, StylizeError, UsageError
from stylize_live.files import make_folder, slug
from stylize_live.media.formats.codecs import FORMATS, video_format
from stylize_live.media.formats.image_sequence import is_sequence
from stylize_live.media.formats.pipes import PIPE
from stylize_live.naming import display_name
from stylize_live.storage.places import Place, StorageUrl, local_path, place_of
from stylize_live.storage.remote import exists, is_folder, list_files
from stylize_live.system.commands import quote
from stylize_live.system.folders import is_hidden
from stylize_live.system.names import identity

log = logging.getLogger(__name__)

# What is taken for a video in a folder; whatever is named itself is tried.
_VIDEOS = (
    frozenset(FORMATS)
    | {".3g2", ".3gp", ".asf", ".avi", ".divx", ".dv", ".f4v", ".flv", ".insv", ".lrv", ".m1v", ".m2t"}
    | {".m2ts", ".m2v", ".mjpeg", ".mjpg", ".mpe", ".mpeg", ".mpg", ".mts", ".mxf", ".nut", ".ogm", ".ogv"}
    | {".qt", ".rm", ".rmvb", ".ts", ".vob", ".wmv", ".wtv", ".y4m"}
)
_FIELDS = ("folder", "stem", "extension", "style", "suffix")
Status = Literal["done", "partial", "skipped", "failed"]


@dataclass(frozen=True, slots=True)
class ConversionJob:
    """A video and where it goes.

    Attributes:
        error: why it cannot go there: another video has the same target.
    """

    source: Place
    target: Place
    error: UsageError | None = field(default=None, compare=False)  # a copy's is another


@dataclass(frozen=True, slots=True)
class ConversionOutcome:
    """How a job ended.

    Attributes:
        status: "done"; "partial", the source was damaged or cut off and what could be read was painted;
            "skipped", the target already existed; "failed".
        report: of a done or partial one.
        error: of a failed one.
    """

    job: ConversionJob
    status: Status
    report: ConvertReport | None = None
    error: Exception | None = None


def plan_jobs(
    inputs: Sequence[Place],
    output: str,
    *,
    style: str,
    include: Sequence[str] = (),
    exclude: Sequence[str] = (),
    work_folder: Path | None = None,
) -> list[ConversionJob]:
    """Pair every video with its target. Only folders are read, nothing is opened.

    Args:
        inputs: videos, and folders of videos, which are searched to the bottom.
        output: a file for one video; a folder, in which videos keep their names and their places in the
            folders they come from; or a pattern such as ``out/{folder}/{stem}-{style}.mp4``. Videos that
            would share a target get jobs with an error.
        style: what {style} stands for.
        include: patterns such as ``*.mp4`` for names or paths of videos in folders; all if there are none.
        exclude: patterns of those to leave out.
        work_folder: of targets on shared storage, see `StorageUrl`.

    Raises:
        UsageError: no videos, a pattern that is not valid, or a target that is a source.
        SourceError: a storage does not tell what is in it.
    """
    if not inputs:
        raise UsageError("no videos given")
    output_folder = _output_folder(inputs, output, work_folder)
    found: list[tuple[Place, Place]] = []
    for path in inputs:
        if is_folder(path):
            found += [(video, path) for video in _videos_in(path, output_folder, include, exclude)]
        else:
            found.append((path, path.parent))
    if not found:
        raise UsageError(f"{inputs[0]}: no videos in this folder that were asked for")
    jobs = []
    for video, root in found:
        target = _target(video, root, output, output_folder, style)
        jobs.append(ConversionJob(video, place_of(target, work_folder)))
    targets = {_identity(job.target) for job in jobs}
    # Results that an earlier run left among the sources are no videos to paint again.
    results = {job.source for job in jobs if len(jobs) > 1 and _identity(job.source) in targets}
    same = (job for job in jobs if _identity(job.source) == _identity(job.target))
    own = next((job for job in same if job.source in results), None)
    if own is not None:
        raise UsageError(f"{own.target}: is the source itself, choose another folder or pattern")
    return _drop_shared_targets([job for job in jobs if job.source not in results])


def _identity(place: Place) -> str:
    """One text for all the ways to write a place; see `identity`."""
    return place.text if isinstance(place, StorageUrl) else identity(place)


def _output_folder(inputs: Sequence[Place], output: str, work_folder: Path | None) -> Place | None:
    """The folder that the output names, or None for a file or a pattern."""
    path = place_of(output, work_folder)
    several = len(inputs) > 1 or is_folder(inputs[0])
    if several and (path == PIPE or (isinstance(path, Path) and is_sequence(path))):
        raise UsageError(f"{path}: is for one video; several need a folder")
    if "{" in output or path == PIPE:
        return None
    if is_folder(path) or output.endswith(("/", os.sep)) or not path.suffix:
        return path
    if several and path.suffix.lower() in FORMATS:
        raise UsageError(
            f"{path}: several videos need a folder, or a pattern like {{stem}}-{{style}}{path.suffix}"
        )
    return path if several else None


def _videos_in(
    folder: Place, output: Place | None, include: Sequence[str], exclude: Sequence[str]
) -> Iterator[Place]:
    """Videos of a folder and those below, by name; hidden ones and the output folder are passed over."""
    files = (
        _visible_on_storage(folder, output)
        if isinstance(folder, StorageUrl)
        else _visible_on_disk(folder, None if isinstance(output, StorageUrl) else output)
    )
    for path, relative in files:
        if _matches(relative, exclude):
            continue
        if _matches(relative, include) if include else path.suffix.lower() in _VIDEOS:
            yield path


def _visible_on_storage(folder: StorageUrl, output: Place | None) -> Iterator[tuple[Place, PurePath]]:
    """Files of a prefix with their ways from there; those of the output's prefix are results."""
    for url in list_files(folder):
        relative = url.relative_to(folder)
        is_result = output != folder and isinstance(output, StorageUrl) and output.path in url.path.parents
        if not is_result and not any(part.startswith(".") for part in relative.parts):
            yield url, relative


def _visible_on_disk(folder: Path, output: Path | None) -> Iterator[tuple[Place, PurePath]]:
    """The same of a folder."""
    for place, folders, files in os.walk(folder):
        here = Path(place)
        folders[:] = sorted(name for name in folders if not is_hidden(here / name))
        if output is not None and identity(output) != identity(folder):
            folders[:] = [name for name in folders if identity(here / name) != identity(output)]
        for name in sorted(files):
            path = here / name
            if not is_hidden(path):
                yield path, path.relative_to(folder)


def _matches(path: PurePath, patterns: Sequence[str]) -> bool:
    names = path.name, path.as_posix()
    return any(fnmatch(name, pattern) for name in names for pattern in patterns)


def _target(video: Place, root: Place, output: str, folder: Place | None, style: str) -> Place | str:
    suffix = video.suffix if video.suffix.lower() in FORMATS else ".mp4"
    place = _way(root, video.parent)
    if folder is not None:
        way = place / f"{video.stem}{suffix}"
        return folder.joined(way) if isinstance(folder, StorageUrl) else folder / way
    if "{" not in output:
        return output
    fields = {
        "folder": place.as_posix(),
        "stem": video.stem,
        "extension": video.suffix.removeprefix("."),
        "style": slug(display_name(style), keep=".+-"),
        "suffix": suffix,
    }
    try:
        target = _fill_pattern(output, fields)
        if isinstance(place_of(target), StorageUrl):
            target = target.replace("/./", "/")  # a folder of its own there
    except (KeyError, ValueError):
        known = ", ".join(f"{{{name}}}" for name in _FIELDS)
        raise UsageError(f"{output}: not a valid pattern; it may hold {known}") from None
    video_format(local_path(place_of(target)))
    return target


def _way(folder: Place, path: Place) -> PurePath:
    """From a folder to what is in it."""
    if isinstance(path, StorageUrl) and isinstance(folder, StorageUrl):
        return path.relative_to(folder)
    assert isinstance(path, Path)
    assert isinstance(folder, Path)
    return path.relative_to(folder)


def _fill_pattern(pattern: str, fields: Mapping[str, str]) -> str:
    """A pattern with its fields filled in. Names of fields are all that it may hold: Python's own formatting
    would also fill up to any width and read attributes.

    Raises:
        KeyError, ValueError: the pattern is not valid.
    """
    found = ""
    for text, name, width, conversion in string.Formatter().parse(pattern):
        if width or conversion:
            raise ValueError(pattern)
        found += text + ("" if name is None else fields[name])
    return found


def _drop_shared_targets(jobs: list[ConversionJob]) -> list[ConversionJob]:
    """The jobs, those of one target with an error: none of their videos has a better right to it.

    A video that was named twice, itself and in a folder, is one job.
    """
    jobs = list({(_identity(job.source), _identity(job.target)): job for job in jobs}.values())
    counts = Counter(_identity(job.target) for job in jobs)
    return [
        replace(job, error=_shared_target_error(job)) if counts[_identity(job.target)] > 1 else job
        for job in jobs
    ]


def _shared_target_error(job: ConversionJob) -> UsageError:
    pattern = quote("out/{folder}/{stem}-{extension}{suffix}")
    hint = f"a pattern with {{folder}} or {{extension}}, such as -o {pattern}"
    return UsageError(f"{job.source}: several videos would become {job.target}, use {hint}")


def convert_all(
    jobs: Sequence[ConversionJob],
    stylizer: FrameStylizer,
    settings: ConvertSettings,
    *,
    overwrite: bool = False,
    restart: bool = False,
    on_start: Callable[[ConversionJob], None] = lambda job: None,
    on_progress: Callable[[ConvertProgress], None] | None = None,
) -> Iterator[ConversionOutcome]:
    """Convert videos in order and go on behind those that fail.

    What is done is read from the disk: a target that exists is done, because targets appear whole or not at
    all, and segments of an interrupted one wait beside it. So the same call goes on after any end.

    Args:
        jobs: from `plan_jobs`.
        stylizer, settings, overwrite, restart, on_progress: see `convert`.
        on_start: called before each video that is not skipped.

    Yields:
        How each video ended, as soon as it did.
    """
    for job in jobs:
        try:
            if job.error is not None:
                raise job.error
            if job.target != PIPE and not overwrite and exists(job.target):
                remove_published(job.target)
                outcome = ConversionOutcome(job, "skipped")
            else:
                on_start(job)
                if isinstance(job.target, Path):
                    make_folder(job.target.parent)
                report = convert(
                    job.source,
                    job.target,
                    stylizer,
                    settings,
                    overwrite=overwrite,
                    restart=restart,
                    on_progress=on_progress,
                )
                outcome = ConversionOutcome(job, "done" if report.complete else "partial", report)
        except OSError as error:
            outcome = ConversionOutcome(job, "failed", error=explain_error(error, job))
        except Exception as error:
            if not isinstance(error, StylizeError):
                log.debug("%s: internal error", job.source, exc_info=True)
            outcome = ConversionOutcome(job, "failed", error=error)
        yield outcome


def explain_error(error: OSError, job: ConversionJob) -> StylizeError:
    """The error of the system as one of ours, with the file that it is about."""
    reason = error.strerror or error
    if error.filename in (None, str(job.source)):
        return SourceError(f"{job.source}: {reason}")
    return SinkError(f"{error.filename}: {reason}")


def exit_code(outcomes: Sequence[ConversionOutcome]) -> int:
    """One code for all: 0 for all well, that of the error if nothing came out, else `EXIT_PARTIAL`."""
    failed = [outcome for outcome in outcomes if outcome.status == "failed"]
    if failed and len(failed) == len(outcomes):
        return getattr(failed[0].error, "exit_code", 1)
    if failed or any(outcome.status == "partial" for outcome in outcomes):
        return EXIT_PARTIAL
    return EXIT_OK
