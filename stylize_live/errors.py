"""Every error a user can cause, as one tree.

    StylizeError
    ├── UsageError          wrong option, wrong value, nothing to do            exit 2
    │   └── ConfigError     wrong key or value in a configuration file          exit 2
    ├── StyleError          unknown style, unreadable or foreign checkpoint     exit 3
    ├── SourceError         input that is missing, empty, busy or not a video   exit 4
    │   └── NoCameraError   no such camera                                      exit 4
    ├── SinkError           target that cannot be written                       exit 5
    │   └── ObsError        OBS that cannot be reached, or does not do its part exit 5
    │       └── ObsPasswordError  OBS that wants another password               exit 5
    ├── DisplayError        no usable screen                                    exit 6
    ├── DeviceError         the asked GPU or precision is not there             exit 7
    ├── TrainingError       nothing to learn from, a run that diverged          exit 8
    ├── CrashError          a library crashed, and its process with it          exit 1
    └── MachineError        no memory left, or a disk or driver does not answer exit 9

Messages are one line and say what is wrong, where, and what to do about it. They are never long and never
carry what a terminal would obey, whatever file or value they repeat.
"""

from __future__ import annotations

import errno

from stylize_live.wording import shorten

# Exit codes that are not errors of the user's making.
EXIT_OK = 0
EXIT_INTERNAL = 1
EXIT_PARTIAL = 10  # not everything came out whole: a damaged input, or some of several files failed
EXIT_INTERRUPTED = 130  # the shell's convention: 128 + SIGINT; of other signals see `concurrency/signals.py`

# What the system says when this process, or all together, have too many files and connections open.
OUT_OF_HANDLES = frozenset({errno.EMFILE, errno.ENFILE})


def describe_error(error: BaseException) -> str:
    """An error in one line for people; our own are such a line already."""
    if isinstance(error, StylizeError):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        named = isinstance(error.filename, str)
        return shorten(f"{error.filename}: {error.strerror}" if named else error.strerror)
    return shorten(f"{type(error).__name__}: {error}".splitlines()[0])


class StylizeError(Exception):
    """Base of all errors this package raises on purpose."""

    exit_code = EXIT_INTERNAL

    def __str__(self) -> str:
        return shorten(super().__str__())


class UsageError(StylizeError):
    """An option or argument that makes no sense."""

    exit_code = 2


class ConfigError(UsageError):
    """A configuration file with an unknown key or a value out of range."""


class StyleError(StylizeError):
    """A style that is not known, or a checkpoint that cannot be trusted."""

    exit_code = 3


class SourceError(StylizeError):
    """An input that cannot be opened or decoded."""

    exit_code = 4


class NoCameraError(SourceError):
    """A camera that is not there."""


class SinkError(StylizeError):
    """An output that cannot be written."""

    exit_code = 5


class ObsError(SinkError):
    """OBS that cannot be reached or does not do what it is asked."""


class ObsPasswordError(ObsError):
    """OBS that wants a password, or another one."""


class DisplayError(StylizeError):
    """No screen to open a window on."""

    exit_code = 6


class DeviceError(StylizeError):
    """A compute device or precision that this machine does not have."""

    exit_code = 7


class TrainingError(StylizeError):
    """A training run that cannot start or cannot go on."""

    exit_code = 8


class CrashError(StylizeError):
    """A library that crashed and took its process along."""


class MachineError(StylizeError):
    """The machine failed: no memory is left, or a disk, driver or library does not answer any more."""

    exit_code = 9
