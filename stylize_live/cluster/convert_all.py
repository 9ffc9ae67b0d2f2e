"""Many videos over many workers: what `convert` does with a cluster."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import replace

from stylize_live.cluster.crew import WorkerSpec
from stylize_live.cluster.progress import ClusterProgress
from stylize_live.cluster.ray_crew import RayCrew
from stylize_live.cluster.schedule import Scheduler, settle
from stylize_live.cluster.session import ANY, ray_session
from stylize_live.cluster.worker import OpenStylizer, open_stylizer
from stylize_live.config import ConvertSettings
from stylize_live.conversion.identity import arithmetic_in
from stylize_live.conversion.queue import ConversionJob, ConversionOutcome
from stylize_live.conversion.segment_store import read_earlier_identity
from stylize_live.media.formats.pipes import PIPE

_MOST_FOLDERS = 100  # of the videos, that are looked for on each machine


def convert_all(
    jobs: Sequence[ConversionJob],
    settings: ConvertSettings,
    workers: Sequence[WorkerSpec] | None = None,
    *,
    address: str = ANY,
    make: OpenStylizer = open_stylizer,
    overwrite: bool = False,
    restart: bool = False,
    on_start: Callable[[ConversionJob], None] = lambda job: None,
    on_progress: Callable[[ClusterProgress], None] = lambda progress: None,
) -> Generator[ConversionOutcome, None, None]:
    """Convert videos as `convert_all` of `conversion/queue.py` does, with the workers of a cluster.

    Videos are painted in parts, several at the same time, and come out in any order. The result is what one
    machine makes that has as many cores as a worker. Whatever ends a run, the same call goes on, with a
    cluster or without one.

    Args:
        jobs, settings, overwrite, restart: see `convert`.
        workers: who paints; None for as many of one kind as the cluster has room for.
        address: see `ray_session`.
        make: opens a stylizer for settings, in other processes.
        on_start: called before each video that is not skipped.
        on_progress: called in this thread about 5 times a second.

    Yields:
        How each video ended, as soon as it did. Closing the generator stops all; finished segments are kept.

    Raises:
        StylizeError: the stylizer cannot be opened.
        SourceError: a machine does not see the videos.
        UsageError: Ray is missing, an address does not work, or machines differ in what they would paint.
        MachineError: no cluster answers, or no machine of it can paint any more.
    """
    waiting = []
    for job in jobs:
        outcome = settle(job, overwrite=overwrite)
        if outcome is None:
            waiting.append(job)
        else:
            yield outcome
    if not waiting:
        return
    earlier = [] if restart else [arithmetic_in(read_earlier_identity(job.target)) for job in waiting]
    wanted = [arithmetic for arithmetic in dict.fromkeys(earlier) if arithmetic]
    # Other processes have other working folders.
    given = {_absolute(job): job for job in waiting}
    folders = list(dict.fromkeys(job.source.parent for job in given))[:_MOST_FOLDERS]

    def tell(progress: ClusterProgress) -> None:
        on_progress(replace(progress, videos=[(given[job], video) for job, video in progress.videos]))

    with (
        ray_session(address),
        RayCrew(make, settings, workers, arithmetics=wanted, folders=folders) as crew,
    ):
        scheduler = Scheduler(
            crew,
            list(given),
            settings,
            overwrite=overwrite,
            restart=restart,
            on_start=lambda job: on_start(given[job]),
            on_progress=tell,
        )
        for outcome in scheduler.run():
            yield replace(outcome, job=given[outcome.job])


def _absolute(job: ConversionJob) -> ConversionJob:
    paths = {name: path for name in ("source", "target") if (path := getattr(job, name)) != PIPE}
    return replace(job, **{name: path.absolute() for name, path in paths.items()})
