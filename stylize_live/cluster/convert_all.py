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
from stylize_live.storage.places import Place, StorageUrl

_MOST_FOLDERS = 100  # and buckets of the videos, that are looked for on each machine


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
        SourceError: a machine does not see the videos, or may not read them.
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
    seen = list({_folder_or_bucket(job.source): _to_be_seen(job.source) for job in given}.values())

    def tell(progress: ClusterProgress) -> None:
        on_progress(replace(progress, videos=[(given[job], video) for job, video in progress.videos]))

    with (
        ray_session(address),
        RayCrew(make, settings, workers, arithmetics=wanted, seen=seen[:_MOST_FOLDERS]) as crew,
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
    return replace(job, source=_absolute_place(job.source), target=_absolute_place(job.target))


def _folder_or_bucket(source: Place) -> str:
    return (
        f"{source.protocol} {source.path.parts[:1]}" if isinstance(source, StorageUrl) else str(source.parent)
    )


def _to_be_seen(source: Place) -> Place:
    return source if isinstance(source, StorageUrl) else source.parent


def _absolute_place(place: Place) -> Place:
    if isinstance(place, StorageUrl):
        return replace(place, work_folder=place.work_folder and place.work_folder.absolute())
    return place if place == PIPE else place.absolute()
