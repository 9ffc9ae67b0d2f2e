"""Names of styles and devices for the shell's completion."""

from __future__ import annotations

from cyclopts import Parameter
from cyclopts.completion import CompletionContext
from pydantic import BaseModel

from stylize_live.config import DEVICES
from stylize_live.nets.style_folders import own_files, shipped_names


def list_style_names(context: CompletionContext) -> list[str]:
    """All names that `--style` can take, shipped ones first; not parts of blends and timelines."""
    return shipped_names() + [path.stem for path in own_files()]


def complete_style_names(settings: type[BaseModel]) -> None:
    """Have the shell complete the styles and the device of a command's settings."""
    for name in settings.model_fields.keys() & {"style", "background_style"}:
        settings.model_fields[name].metadata.append(Parameter(completer=list_style_names))
    settings.model_fields["device"].metadata.append(Parameter(completer=list_devices))


def list_devices(context: CompletionContext) -> list[str]:
    """What `--device` takes, but for numbers of GPUs."""
    return list(DEVICES)
