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
    """Have the shell complete the style and the device of a command's settings."""
    settings.model_fields["style"].metadata.append(Parameter(completer=list_style_names))
    settings.model_fields["device"].metadata.append(Parameter(completer=list_devices))


def list_devices(context: CompletionContext) -> list[str]:
    """What `--device` takes, but for numbers of GPUs."""
    return list(DEVICES)
