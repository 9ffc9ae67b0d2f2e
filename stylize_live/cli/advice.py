"""What would make painting faster here, and the command for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stylize_live.cli.console import warn
from stylize_live.cli.unused_gpu import explain_unused_gpu
from stylize_live.config import names_several

if TYPE_CHECKING:
    from stylize_live.config import EngineSettings


def advise(settings: EngineSettings) -> None:
    """Say so, on stderr, if something is missing that would make these settings faster."""
    if settings.device != "cpu" and _may_use_gpu(settings.runtime):
        advice = explain_unused_gpu()
        if advice:
            warn(advice)
            return
    if settings.runtime == "auto" and settings.precision != "float16":
        from stylize_live.engine.device_selection import choose_device_name

        advice = suggest_openvino()
        if advice and not names_several(settings.device) and choose_device_name(settings.device) == "cpu":
            warn(advice)


def _may_use_gpu(runtime: str) -> bool:
    from stylize_live.engine.runtimes import RUNTIMES

    return runtime == "auto" or "cuda" in RUNTIMES[runtime].on


def suggest_openvino() -> str:
    """The command that adds OpenVINO where it would speed up painting; "" where it would not."""
    from stylize_live.engine.cpu.features import is_x86
    from stylize_live.engine.runtimes import is_installed
    from stylize_live.install_hints import install_command

    if is_installed("openvino") or not is_x86():  # elsewhere nobody has measured it
        return ""
    return f"painting would be about twice as fast with OpenVINO: {install_command('openvino')}"
