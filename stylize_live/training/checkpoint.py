"""The state of an unfinished run on disk, in safetensors like everything else (no pickle)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor, nn

from stylize_live.errors import SinkError, TrainingError
from stylize_live.files import replacing
from stylize_live.training.objective import TrainingObjective, with_prefix
from stylize_live.training.optimizer import MuonAdam
from stylize_live.training.plan import Plan
from stylize_live.training.settings import TrainSettings

if TYPE_CHECKING:
    from stylize_live.training.trainer import Progress


def save_training(
    path: Path,
    settings: TrainSettings,
    task: str,
    network: nn.Module,
    average: dict[str, Tensor],
    faithful: dict[str, Tensor],
    optimizer: MuonAdam,
    objective: TrainingObjective,
    progress: Progress,
    files: Sequence[Path] = (),
    plan: Plan | None = None,
) -> None:
    """Write all that a run needs to go on, its plan, and which other files are its own.

    Raises:
        SinkError: the file cannot be written.
    """
    tensors = {f"network.{k}": v for k, v in network.state_dict().items()}
    tensors |= {f"average.{k}": v for k, v in average.items()}
    tensors |= {f"faithful.{k}": v for k, v in faithful.items()}
    tensors |= {f"optimizer.{k}": v for k, v in optimizer.tensors().items()}
    tensors |= {f"objective.{k}": v for k, v in objective.tensors().items()}
    record = {
        "step": progress.step,
        "seconds": progress.seconds,
        "done": progress.done,
        "history": progress.history,
        "looks": progress.preview_steps,
    }
    metadata = {
        "settings": settings.model_dump_json(),
        "task": task,
        "progress": json.dumps(record),
        "files": json.dumps([_named(file) for file in files]),
    }
    if plan is not None:
        metadata["plan"] = json.dumps(plan.to_dict())
    data = save({k: v.detach().cpu().contiguous().clone() for k, v in tensors.items()}, metadata)
    try:
        with replacing(path) as temporary:
            temporary.write_bytes(data)
    except OSError as error:
        raise SinkError(f"{path}: cannot save the training state: {error.strerror}") from None


def read_plan(path: Path) -> Plan | None:
    """The plan of an unfinished run; None if there is no run, or its state is older than plans are."""
    try:
        with safe_open(path, framework="pt") as state:
            return Plan.from_dict(json.loads((state.metadata() or {})["plan"]))
    except (OSError, SafetensorError, KeyError, ValueError, AttributeError):
        return None


def owns(path: Path, file: Path) -> bool:
    """Whether a state file says that another file or folder is its run's own; no state owns nothing."""
    try:
        with safe_open(path, framework="pt") as state:
            return _named(file) in json.loads((state.metadata() or {}).get("files", "[]"))
    except (OSError, SafetensorError, ValueError):
        return False


def _named(file: Path) -> str:
    return file.resolve().as_uri()  # names of any bytes as ASCII


def load_training(
    path: Path,
    settings: TrainSettings,
    task: str,
    network: nn.Module,
    average: dict[str, Tensor],
    faithful: dict[str, Tensor],
    optimizer: MuonAdam,
    objective: TrainingObjective,
) -> Progress:
    """Read a state file back into a network, its averaged weights, those that are kept as the faithful end
    (empty if it was not reached), its optimizer and its objective.

    Raises:
        TrainingError: the file is damaged or belongs to a run with other settings or another task.
    """
    from stylize_live.training.trainer import Progress

    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            # Copies: those of the file are the file itself in memory, which Windows would not let us replace.
            tensors = {name: file.get_tensor(name).clone() for name in file.keys()}  # noqa: SIM118 (its handle is no mapping)
        same_settings = TrainSettings.model_validate_json(metadata["settings"]) == settings
        same_task = metadata["task"] == task
        record = json.loads(metadata["progress"])
        progress = Progress(
            record["step"],
            record["seconds"],
            record["done"],
            history=[(step, terms) for step, terms in record["history"]],
            preview_steps=record["looks"],
        )
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise TrainingError(f"{path}: damaged training state, delete it to start over: {error}") from None
    if not (same_settings and same_task):
        other = "settings" if same_task else "paintings, features or start"
        raise TrainingError(
            f"{path}: unfinished run with other {other}: use the same ones to go on, or --restart"
        )
    network.load_state_dict(with_prefix(tensors, "network."))
    for name, value in with_prefix(tensors, "average.").items():
        average[name].copy_(value)
    faithful.update({k: v.to(average[k].device) for k, v in with_prefix(tensors, "faithful.").items()})
    optimizer.load(with_prefix(tensors, "optimizer."))
    objective.load(with_prefix(tensors, "objective."))
    return progress
