"""What a training run reads and writes, and what comes out of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from stylize_live.nets.catalogue import style_word
from stylize_live.nets.checkpoint import StyleInfo, is_unfinished
from stylize_live.system.commands import quote
from stylize_live.training.checkpoint import owns
from stylize_live.training.keyframe import Keyframe
from stylize_live.training.preview import rows_in
from stylize_live.training.settings import TrainSettings
from stylize_live.training.style_metrics import StyleFigures
from stylize_live.training.trainer import Progress


@dataclass(frozen=True, slots=True)
class TrainingJob:
    """What a run reads and writes.

    Attributes:
        paintings: one image for a style, several for a base; of keyframes, what was painted over them.
        photos: folder of ordinary photos; where keyframes teach, of other frames to try it on, or None.
        features: as `load_features` takes it; None for torchvision's VGG16.
        target: the style file to write.
        start: a style file to start from, or None to start from scratch.
        previews: folder for preview images.
        info: the description to store.
        settings: budget and weights.
        report: the page about the run; None for one beside the target.
        keyframes: frames that an artist has painted over; with them, these alone teach.
    """

    paintings: list[Path]
    photos: Path | None
    features: str | Path | None
    target: Path
    start: Path | None
    previews: Path
    info: StyleInfo
    settings: TrainSettings = TrainSettings()  # noqa: RUF009 (frozen)
    report: Path | None = None
    keyframes: tuple[Keyframe, ...] = ()

    @property
    def report_path(self) -> Path:
        """Where the page about the run goes."""
        return self.report or self.target.with_name(f"{self.target.stem}-report.html")

    @property
    def state_path(self) -> Path:
        """Where an unfinished run is kept."""
        return self.target.with_suffix(".state.safetensors")

    @property
    def use(self) -> str:
        """A command for the shell that uses the style."""
        return f"stylize-live live --style {quote(style_word(self.target))}"

    def in_the_way(self) -> list[Path]:
        """Files that a run would replace: of an earlier run, or somebody else's.

        The report and the previews of an unfinished run are its own and not among them, and the style that
        it left behind when it was interrupted.
        """
        # An unfinished style is its run's own, too.
        files = [] if owns(self.state_path, self.target) and is_unfinished(self.target) else [self.target]
        if not owns(self.state_path, self.report_path):
            files.append(self.report_path)
        if not owns(self.state_path, self.previews):
            files += rows_in(self.previews)
        return [path for path in files if path.exists()]


@dataclass(frozen=True, slots=True)
class TrainingResult:
    """What came out of a run.

    Attributes:
        progress: steps, seconds and losses.
        figures: errors on some photos.
        kept_out: whether these were kept out of training; of very few photos none can be.
        unreadable: photos that could not be read, sorted.
        resumed_at: the step the run went on from; 0 for a fresh one.
    """

    progress: Progress
    figures: StyleFigures
    kept_out: bool
    unreadable: list[Path]
    resumed_at: int
