"""Which photos a training run practises on, and which it shows and measures."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stylize_live.errors import TrainingError
from stylize_live.training.dataset import LONGEST, find_photos, sift, split_photos, spread
from stylize_live.training.job import TrainingJob


@dataclass(frozen=True, slots=True)
class JobPhotos:
    """The photos of a run.

    Attributes:
        training: that are practised on.
        measured: that results are shown and measured on.
        unreadable: that were tried and are damaged.
    """

    training: list[Path]
    measured: list[Path]
    unreadable: set[Path]

    @property
    def are_kept_out(self) -> bool:
        """Whether what is shown and measured is not practised on."""
        return not set(self.measured) & set(self.training)


def photos_of(job: TrainingJob) -> JobPhotos:
    """The photos of a job. Where keyframes teach, none is practised on.

    Raises:
        TrainingError: none can be read, or those that can are strips.
    """
    if not job.keyframes:
        assert job.photos is not None
        return _in_folder(job.photos)
    frames = [keyframe.frame for keyframe in job.keyframes]
    if job.photos is None:
        return JobPhotos(frames, frames, set())
    found = find_photos(job.photos)
    shown, unreadable = sift(spread(found))
    if not shown:
        raise TrainingError(f"{job.photos}: {_nothing_to_show(len(found), len(unreadable))}")
    return JobPhotos(frames, shown, unreadable)


def _in_folder(folder: Path) -> JobPhotos:
    """Find and split the photos; those to be shown and measured are tried.

    Raises:
        TrainingError: none can be read, or those that can are strips.
    """
    found = find_photos(folder)
    training, held_out = split_photos(found)
    shown, unreadable = sift(held_out)
    if not shown:
        for photo in training:
            shown, bad = sift([photo])
            unreadable |= bad
            if shown:
                break
        else:
            raise TrainingError(f"{folder}: {_nothing_to_show(len(found), len(unreadable))}")
    return JobPhotos(training, shown, unreadable)


def _nothing_to_show(found: int, unreadable: int) -> str:
    """Why none of the photos will do."""
    these = "the only photo in it" if found == 1 else f"none of the {found} photos in it"
    if unreadable == found:
        return f"{these} cannot be read" if found == 1 else f"{these} can be read"
    shape = f"too long and narrow, longer than 1:{LONGEST}"
    if unreadable:
        return f"{these} will do: {unreadable} cannot be read, the others are {shape}"
    return f"{these} is {shape}" if found == 1 else f"all {found} photos in it are {shape}"
