"""Windows is asked for fine timers for as long as a show lasts; nobody else is asked for anything."""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from live_fakes import FakeDisplay, FakeSource, FakeStylizer

from stylize_live.live.pipeline import run_live
from stylize_live.system import timers


class Answer:
    """A function of a library: notes its arguments, and gives what it is told to."""

    def __init__(self, note: Callable[..., None], gives: object) -> None:
        self._note, self._gives = note, gives

    def __call__(self, *arguments: Any) -> object:
        self._note(*arguments)
        return self._gives


class Windows:
    """Its two libraries, as far as timers go."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, refuses: bool = False) -> None:
        self.calls: list[tuple[object, ...]] = []
        self.throttling: tuple[int, ...] = ()
        self.libraries: dict[str, object] = {
            "winmm": SimpleNamespace(
                timeBeginPeriod=self._answer("begin", 97 if refuses else 0),
                timeEndPeriod=self._answer("end", 0),
            ),
            "kernel32": SimpleNamespace(
                GetCurrentProcess=Answer(lambda: None, 0xFFFF),
                SetProcessInformation=Answer(self._throttle, 1),
            ),
        }
        monkeypatch.setattr(timers.sys, "platform", "win32")
        monkeypatch.setattr(timers, "load_windows_library", self.libraries.get)

    def _answer(self, name: str, gives: int) -> Answer:
        return Answer(lambda *arguments: self.calls.append((name, *arguments)), gives)

    def _throttle(self, process: int, kind: int, state: Any, size: int) -> None:
        assert (process, kind, size) == (0xFFFF, 4, 12)
        found = ctypes.cast(state, ctypes.POINTER(ctypes.c_uint32))
        self.throttling = found[0], found[1], found[2]


def test_for_as_long_as_it_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    windows = Windows(monkeypatch)
    asked = timers.fine_timers()
    asked.__enter__()
    assert windows.calls == [("begin", 1)]
    assert asked.__exit__(KeyError, KeyError(), None) is False  # whatever happened meanwhile
    assert windows.calls == [("begin", 1), ("end", 1)]
    assert windows.throttling == (1, 4, 0)  # version, what is controlled, what of it is throttled


def test_what_was_refused_is_not_taken_back(monkeypatch: pytest.MonkeyPatch) -> None:
    windows = Windows(monkeypatch, refuses=True)
    with timers.fine_timers():
        pass
    assert windows.calls == [("begin", 1)]
    assert windows.throttling == ()


@pytest.mark.parametrize("missing", ["winmm", "kernel32"])
def test_a_system_without_a_library_is_as_good(missing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    windows = Windows(monkeypatch)
    del windows.libraries[missing]
    with timers.fine_timers():
        pass
    assert windows.calls == ([] if missing == "winmm" else [("begin", 1), ("end", 1)])


def test_an_old_windows_cannot_be_told_to_keep_them(monkeypatch: pytest.MonkeyPatch) -> None:
    windows = Windows(monkeypatch)
    windows.libraries["kernel32"] = SimpleNamespace()
    with timers.fine_timers():
        pass
    assert windows.calls == [("begin", 1), ("end", 1)]


def test_elsewhere_nothing_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    windows = Windows(monkeypatch)
    monkeypatch.setattr(timers.sys, "platform", "linux")
    with timers.fine_timers():
        pass
    assert windows.calls == []


def test_a_show_has_them(monkeypatch: pytest.MonkeyPatch) -> None:
    windows = Windows(monkeypatch)
    during: list[list[tuple[object, ...]]] = []
    source = FakeSource(2, before=lambda index: during.append(list(windows.calls)))
    run_live(source, FakeStylizer(), FakeDisplay())
    assert during == [[("begin", 1)], [("begin", 1)]]
    assert windows.calls == [("begin", 1), ("end", 1)]
