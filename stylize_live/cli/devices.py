"""`stylize-live devices`: what this machine has to capture, compute and encode with."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from rich.table import Table

from stylize_live.cli.advice import suggest_openvino
from stylize_live.cli.console import cell, print_json, print_line, stdout
from stylize_live.cli.unused_gpu import explain_unused_gpu

if TYPE_CHECKING:
    from stylize_live.media.formats.encoders import Encoder
    from stylize_live.media.sources.devices import Camera

_MODES_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Inventory:
    """Everything `devices` shows.

    Attributes:
        cameras: real and virtual ones.
        screen: (width, height) of the primary screen in pixels, or None.
        window: why no window can be opened, or None if one can.
        processor: its name, cores and instructions.
        limits: what keeps libraries from some of them, by environment variable.
        network: how the network is computed, and why so.
        speeds: what was measured to choose, milliseconds for a frame of 480x270.
        faster: what would make it faster, "" if nothing is missing.
        gpus: names of CUDA devices with their memory.
        unused_gpu: why a GPU that is there is not among them and what mends it, "" if none is.
        encoders: those that PyAV has, usable or not.
        ndi: names of NDI sources in the network, None where cyndilib is not installed.
    """

    cameras: list[Camera]
    screen: tuple[int, int] | None
    window: str | None
    processor: str
    limits: dict[str, str]
    network: str
    speeds: dict[str, float]
    faster: str
    gpus: list[str]
    unused_gpu: str
    encoders: list[Encoder]
    ndi: list[str] | None


def devices(*, json: bool = False, measure: bool = False) -> int:
    """List cameras, virtual cameras, screen, processor, GPUs and video encoders.

    With cyndilib installed, also the NDI sources of the network.

    How the network is computed follows from what was measured when it first
    painted here; that is kept.

    Parameters
    ----------
    json
        Print the result as JSON, alone on standard output.
    measure
        Measure anew.
    """
    if measure:
        from stylize_live.engine.speed_cache import forget

        forget()
    found = take_inventory()
    if json:
        print_json(asdict(found))
    else:
        stdout.print(_table(found))
        advice = "" if found.gpus else found.unused_gpu or found.faster
        if advice:
            print_line(advice)  # not in the table, which would break the command in two
    return 0


def take_inventory() -> Inventory:
    """Look; nothing is opened for longer than a moment."""
    from stylize_live.media.formats.encoders import list_encoders
    from stylize_live.media.sinks.display_check import display_problem
    from stylize_live.media.sources.devices import list_cameras

    return Inventory(
        list_cameras(),
        _screen(),
        display_problem(),
        **_computing(),
        gpus=_gpus(),
        unused_gpu=explain_unused_gpu(),
        encoders=list_encoders(),
        ndi=_ndi_sources(),
    )


def _computing() -> dict[str, Any]:
    """What is said of processor and network."""
    from stylize_live.engine.cpu import features
    from stylize_live.engine.device_selection import choose, choose_device_name

    choice = choose("auto", "auto", choose_device_name("auto"))
    return {
        "processor": f"{features.processor_name()}, {features.cores()} cores, {features.instruction_set()}",
        "limits": features.library_limits(),
        "network": f"{choice.runtime} {choice.precision}: {choice.why}",
        "speeds": choice.speeds,
        "faster": suggest_openvino(),
    }


def _ndi_sources() -> list[str] | None:
    from stylize_live.media.ndi.finder import list_sources
    from stylize_live.media.ndi.library import is_installed

    return list_sources() if is_installed() else None


def _screen() -> tuple[int, int] | None:
    from stylize_live.errors import SourceError
    from stylize_live.media.sources.screen import screen_size

    try:
        return screen_size()
    except SourceError:
        return None


def _gpus() -> list[str]:
    import torch

    if not torch.cuda.is_available():
        return []
    found = (torch.cuda.get_device_properties(number) for number in range(torch.cuda.device_count()))
    return [f"{gpu.name}, {gpu.total_memory / 2**30:.0f} GiB" for gpu in found]


def _table(found: Inventory) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column()
    real = [_camera_line(camera) for camera in found.cameras if not camera.virtual]
    virtual = [_camera_line(camera) for camera in found.cameras if camera.virtual]
    _add_rows(table, "cameras", real, "none connected")
    _add_rows(table, "virtual cameras", virtual, "none installed")
    if found.ndi is not None:
        _add_rows(table, "NDI sources", found.ndi, "none in this network")
    screen = [f"{found.screen[0]}x{found.screen[1]}"] if found.screen else []
    _add_rows(table, "screen", screen, "none that can be captured")
    window = "can be opened" if found.window is None else f"cannot be opened: {found.window}"
    _add_rows(table, "windows", [window], "")
    _add_rows(table, "processor", [found.processor, *_limit_lines(found.limits)], "")
    _add_rows(table, "network", _network_lines(found), "")
    _add_rows(table, "GPUs", found.gpus, "none that CUDA knows; the network runs on the CPU")
    software = [encoder.name for encoder in found.encoders if not encoder.hardware]
    _add_rows(table, "encoders", [", ".join(software)] if software else [], "none that convert could use")
    _add_rows(table, "hardware encoders", _hardware_lines(found.encoders), "none in this build of PyAV")
    return table


def _add_rows(table: Table, heading: str, lines: list[str], otherwise: str) -> None:
    for number, line in enumerate(lines or [otherwise]):
        style = "" if lines else "dim"
        table.add_row("" if number else heading, cell(line), style=style)


def _limit_lines(limits: dict[str, str]) -> list[str]:
    return [f"limited by {name}={value}" for name, value in limits.items()]


def _network_lines(found: Inventory) -> list[str]:
    speeds = ", ".join(f"{runtime} {ms:.1f} ms" for runtime, ms in found.speeds.items())
    return [found.network, *([f"measured for a frame of 480x270: {speeds}"] if speeds else [])]


def _camera_line(camera: Camera) -> str:
    modes = ", ".join(camera.modes[:_MODES_SHOWN])
    more = len(camera.modes) - _MODES_SHOWN
    if more > 0:
        modes += f" and {more} more"
    state = "" if camera.captures else "nothing feeds it now"
    details = "; ".join(part for part in (camera.path, modes, state) if part)
    return f"{camera.index}: {camera.name}" + (f" ({details})" if details else "")


def _hardware_lines(encoders: list[Encoder]) -> list[str]:
    hardware = [encoder for encoder in encoders if encoder.hardware]
    usable = [encoder.name for encoder in hardware if encoder.usable]
    missing = [encoder.name for encoder in hardware if not encoder.usable]
    lines = [", ".join(usable) if usable else "none works on this machine"] if hardware else []
    if missing:
        lines.append(f"without hardware here: {', '.join(missing)}")
    return lines
