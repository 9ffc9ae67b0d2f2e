"""How fast ways to do the same thing are here: measured once, in a fraction of a second, and kept.

The figures lie in the user's cache folder, one table for each processor, limit and set of versions. A cache
that cannot be read or written costs a measurement for each process, and nothing else.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from platformdirs import user_cache_path

from stylize_live import __version__
from stylize_live.engine import runtimes
from stylize_live.engine.cpu import features
from stylize_live.files import replacing
from stylize_live.system.clock import monotonic
from stylize_live.system.replacing import remove

log = logging.getLogger(__name__)

Speeds = dict[str, float]
"""Milliseconds by the name of a way; ways that failed are not in it."""

Trial = Callable[[], Callable[[], object]]
"""Makes ready what is to be timed, and gives the work."""

_ROUNDS, _LEAST_ROUNDS = 7, 2
_SECONDS = 1.0  # after which no round begins
_TABLES = 16  # kept, the newest
_FAILED = 0.0  # in place of milliseconds
_known: dict[tuple[str, str], Speeds] = {}


def cache_file() -> Path:
    """Where figures are kept; it may not exist."""
    return user_cache_path("stylize-live", appauthor=False) / "speeds.json"


def name_machine() -> str:
    """A name for all that figures depend on: processor, cores, limits, versions."""
    packages = (f"{name} {_version(name)}" for name in sorted(runtimes.list_packages()))
    limits = (f"{name}={value}" for name, value in sorted(features.library_limits().items()))
    cores = f"{features.cores()} cores"
    return ", ".join((features.processor_name(), cores, *limits, f"stylize-live {__version__}", *packages))


def measure_once(what: str, trials: Mapping[str, Trial]) -> Speeds:
    """Milliseconds of each trial, from this process, the cache, or by measuring all now.

    Args:
        what: a name for the question; with the machine, what figures are kept under.
        trials: by name. One that raises is left out.
    """
    key = name_machine(), what
    if not trials.keys() <= _known.get(key, {}).keys():
        kept = _tables().get(key[0], {}).get(what, {})
        _known[key] = kept if trials.keys() <= kept.keys() else _measure_and_keep(key, trials)
    return {name: speed for name, speed in _known[key].items() if name in trials and speed != _FAILED}


def forget() -> None:
    """Measure anew when asked the next time, in this process and all that begin."""
    _known.clear()
    with suppress(OSError):
        remove(cache_file())


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "none"


def _measure_and_keep(key: tuple[str, str], trials: Mapping[str, Trial]) -> Speeds:
    speeds = _measure(trials)
    log.info("measured %s: %s", key[1], ", ".join(f"{name} {ms:.1f} ms" for name, ms in speeds.items()))
    tables = _tables()
    table = tables.pop(key[0], {})
    tables[key[0]] = {**table, key[1]: speeds}
    newest = dict(list(tables.items())[-_TABLES:])
    path = cache_file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with replacing(path) as temporary:
            temporary.write_text(json.dumps(newest, indent=1), encoding="utf-8")
    except OSError as error:
        log.info("%s: measured speeds are not kept: %s", path, error.strerror or error)
    return speeds


def _measure(trials: Mapping[str, Trial]) -> Speeds:
    """The shortest time of each, in turns: what else runs here makes times longer, never shorter."""
    jobs: dict[str, Callable[[], object]] = {}
    for name, trial in trials.items():
        try:
            jobs[name] = trial()
            jobs[name]()
        except Exception as error:  # whatever a library raises where it lacks something
            jobs.pop(name, None)
            log.info("%s cannot be used here: %s", name, error)
    best = dict.fromkeys(jobs, float("inf"))
    begun = monotonic()
    for number in range(_ROUNDS):
        if number >= _LEAST_ROUNDS and monotonic() - begun > _SECONDS:
            break
        for name, work in jobs.items():
            started = monotonic()
            work()
            best[name] = min(best[name], 1e3 * (monotonic() - started))
    return {name: round(best[name], 3) if name in best else _FAILED for name in trials}


def _tables() -> dict[str, dict[str, Speeds]]:
    """What is in the cache; nothing, where it is not what it should be."""
    try:
        found = json.loads(cache_file().read_text(encoding="utf-8"))
        return {
            str(name): {
                str(what): {str(way): float(speed) for way, speed in speeds.items()}
                for what, speeds in table.items()
            }
            for name, table in found.items()
        }
    except (OSError, ValueError, AttributeError, TypeError) as error:
        if not isinstance(error, FileNotFoundError):
            log.info("%s: cannot be used, speeds are measured anew: %s", cache_file(), error)
        return {}
