"""What `convert` says: a line for each video, the dry run, the report."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from stylize_live.cli.console import cell, print_beside, print_json, print_line, stderr, warn
from stylize_live.config import ConvertSettings
from stylize_live.errors import EXIT_INTERNAL, StylizeError
from stylize_live.wording import as_json, shorten

if TYPE_CHECKING:
    from stylize_live.conversion.dry_run import DryRun
    from stylize_live.conversion.queue import ConversionJob, ConversionOutcome
    from stylize_live.engine import Stylizer


def choose_printer(jobs: Sequence[ConversionJob]) -> Callable[[str], None]:
    """What prints results: to standard output, unless a video is written there."""
    from stylize_live.media.formats.pipes import PIPE

    return print_beside if any(job.target == PIPE for job in jobs) else print_line


def say_outcome(outcome: ConversionOutcome, single: bool, *, beside: bool = False) -> None:
    """Say how a video ended; `beside` what goes to standard output."""
    report, target = outcome.report, outcome.job.target
    say = print_beside if beside else choose_printer([outcome.job])
    prefix = "" if single else f"{target}: "
    for note in report.notes if report else ():
        warn(prefix + note)
    if outcome.status == "skipped":
        warn(f"{target}: already exists, skipped")
    elif report is None:
        if not single:
            stderr.print(f"[bold red]failed:[/] {cell(shorten(_reason(outcome.job, outcome.error)))}")
    elif single:
        say(str(target))
        say(_pace(report.frames, report.seconds, report.fps, report.resumed))
    else:
        say(f"{target}: {_pace(report.frames, report.seconds, report.fps, report.resumed)}")


def _reason(job: ConversionJob, error: Exception | None) -> str:
    if isinstance(error, StylizeError):
        return str(error)
    return f"{job.source}: internal error: {type(error).__name__}: {error}"


def _pace(frames: int, seconds: float, fps: float, resumed: int) -> str:
    earlier = f", {resumed} of them in earlier runs" if resumed else ""
    return f"{frames} frames in {seconds:.1f} s, {fps:.1f} frames per second{earlier}"


def say_total(outcomes: Sequence[ConversionOutcome], seconds: float) -> None:
    """How many videos ended how."""
    counts = {
        status: sum(outcome.status == status for outcome in outcomes)
        for status in ("done", "partial", "skipped", "failed")
    }
    words = {"done": "done", "partial": "damaged", "skipped": "skipped", "failed": "failed"}
    parts = ", ".join(f"{count} {words[status]}" for status, count in counts.items() if count)
    videos = "1 video" if len(outcomes) == 1 else f"{len(outcomes)} videos"
    stderr.print(f"{videos} in {describe_seconds(seconds)}: {parts}")


def json_line(outcomes: Sequence[ConversionOutcome], seconds: float, code: int) -> str:
    """The report of a run; its fields are described in docs/convert.md."""
    counts = {s: sum(o.status == s for o in outcomes) for s in ("done", "partial", "skipped", "failed")}
    files = [_as_dict(outcome) for outcome in outcomes]
    report = {"exit_code": code, "seconds": round(seconds, 3), **counts, "files": files}
    return as_json(report)


def _as_dict(outcome: ConversionOutcome) -> dict[str, Any]:
    found: dict[str, Any] = {
        "source": str(outcome.job.source),
        "target": str(outcome.job.target),
        "status": outcome.status,
        "error": None if outcome.error is None else _reason(outcome.job, outcome.error),
    }
    report = outcome.report
    if report is not None:
        found |= {
            "frames": report.frames,
            "resumed": report.resumed,
            "seconds": round(report.seconds, 3),
            "fps": round(report.fps, 3),
            "busy": {name: round(spent, 3) for name, spent in report.busy.items()},
            "damaged": report.damaged,
            "complete": report.complete,
            "notes": report.notes,
        }
    return found


def print_dry_run(
    jobs: Sequence[ConversionJob],
    single: bool,
    stylizer: Stylizer,
    settings: ConvertSettings,
    overwrite: bool,
    json: bool,
    *,
    on_cluster: bool = False,
) -> int:
    """Say what would be made of all videos; the exit code is the first error's, if there is one."""
    from stylize_live.cluster.tasks import check_file, check_job
    from stylize_live.conversion.dry_run import dry_run, painting_speed
    from stylize_live.conversion.queue import explain_error
    from stylize_live.conversion.segment_store import count_kept_frames
    from stylize_live.storage.fetching import size_of
    from stylize_live.storage.places import StorageUrl
    from stylize_live.storage.remote import exists
    from stylize_live.storage.uploading import check_bucket

    speed: float | None = None
    code, rows = 0, []
    for job in jobs:
        row: dict[str, Any] = {"source": str(job.source), "target": str(job.target), "status": "planned"}
        rows.append(row)
        try:
            if job.error is not None:
                raise job.error
            if not single and not overwrite and exists(job.target):
                row["status"] = "skipped"
                continue
            if on_cluster:
                check_job(job.source, job.target)
            if isinstance(job.target, StorageUrl):
                check_bucket(job.target)
            if isinstance(job.source, StorageUrl):
                row |= {"bytes": size_of(job.source), "kept": count_kept_frames(job.target)}
                continue
            made = dry_run(job.source, job.target, settings, overwrite=overwrite)
            if on_cluster:
                check_file(job.source, job.target)
        except Exception as failure:
            error = explain_error(failure, job) if isinstance(failure, OSError) else failure
            row |= {"status": "failed", "error": _reason(job, error)}
            code = code or getattr(error, "exit_code", EXIT_INTERNAL)
            continue
        if speed is None:
            width = made.size[0] // 2 if settings.side_by_side or settings.preview else made.size[0]
            speed = painting_speed(stylizer, (width, made.size[1]))
        row |= _dry_run_dict(made, speed)
    if json:
        print_json({"exit_code": code, "files": rows})
    else:
        for row in rows:
            _print_row(row)
    return code


def _dry_run_dict(made: DryRun, speed: float) -> dict[str, Any]:
    return {
        "size": list(made.size),
        "frames": made.frames,
        "kept": made.kept,
        "duration": made.duration,
        "codec": made.codec,
        "beside": made.beside,
        "notes": made.notes,
        "estimated_seconds": None if made.pixels is None else round(made.pixels / speed, 1),
    }


def _print_row(row: dict[str, Any]) -> None:
    print_line(f"{row['source']} -> {row['target']}")
    if row["status"] != "planned":
        print_line(f"  {row['status']}: {row.get('error', 'already exists')}")
        return
    kept = f", {row['kept']} finished already" if row["kept"] else ""
    if "bytes" in row:
        print_line(f"  {row['bytes'] / 1e6:,.1f} MB on shared storage, opened when its turn comes{kept}")
        return
    width, height = row["size"]
    frames = "unknown number of" if row["frames"] is None else row["frames"]
    length = "" if row["duration"] is None else f" in {describe_seconds(row['duration'])}"
    print_line(f"  {width}x{height}, {frames} frames{length}, {row['codec']}{kept}")
    if row["beside"]:
        print_line(f"  beside it: {', '.join(row['beside'])}")
    for note in row["notes"]:
        print_line(f"  {note}")
    if row["estimated_seconds"] is not None:
        print_line(f"  about {describe_seconds(row['estimated_seconds'])} of painting")


def describe_seconds(seconds: float) -> str:
    """A length of time for people: "12.3 s", "1:05 min" or "1:02:03"."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d} min"
