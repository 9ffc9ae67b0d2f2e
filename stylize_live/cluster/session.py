"""The way into a Ray cluster: one that runs already, or one of this machine for as long as it is needed."""

from __future__ import annotations

import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

from stylize_live.cluster.ray_library import ray, without_page
from stylize_live.engine.cpu.features import cores
from stylize_live.errors import MachineError, UsageError
from stylize_live.file_locks import scratch_folder

HERE = "local"
ANY = "auto"
# Ray's words go into its own logs, not into ours, and its page is left to who starts a cluster.
_QUIET: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.CRITICAL}


@contextmanager
def ray_session(address: str = ANY) -> Iterator[None]:
    """Be part of a cluster meanwhile. A program that is part of one already stays so.

    Args:
        address: host:port of a cluster, "local" to start one of this machine alone, "auto" for the one that
            runs on this machine or, if there is none, a local one.

    Raises:
        UsageError: an address of a kind that does not work.
        MachineError: nobody answers there, or Ray does not start.
    """
    if "://" in address:
        raise UsageError(f"{address}: run the command on a machine of the cluster and say auto or host:port")
    if ray.is_initialized():
        yield
        return
    with ExitStack() as opened:
        if address == HERE or not _connect(address):
            _start(opened)
        opened.callback(ray.shutdown)
        yield


def _connect(address: str) -> bool:
    """Join a cluster; False if any would do and there is none."""
    try:
        _init(address=address)
    except ConnectionError as error:
        if address == ANY:
            return False
        raise MachineError(f"{address}: no Ray cluster answers there: {_first_line(error)}") from None
    except Exception as error:
        raise MachineError(f"{address}: this Ray cluster cannot be used: {_first_line(error)}") from None
    return True


def _start(opened: ExitStack) -> None:
    """A cluster of this machine, whose files are gone with it. Ray lets only those in who have its token."""
    folder = opened.enter_context(scratch_folder())
    try:
        with without_page():
            _init(address=HERE, num_cpus=cores(), include_dashboard=False, _temp_dir=str(folder))
    except Exception as error:
        raise MachineError(f"Ray does not start on this machine: {_first_line(error)}") from None


def _init(**how: Any) -> None:
    """What Ray would do at SIGTERM is done by whoever has seen to that already."""
    handler = signal.getsignal(signal.SIGTERM)
    try:
        ray.init(**how, **_QUIET)
    finally:
        if handler is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
