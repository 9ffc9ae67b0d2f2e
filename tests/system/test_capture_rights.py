"""macOS' questions, answered by fakes of its libraries; no other system is asked anything."""

from __future__ import annotations

import ctypes
import sys
import threading
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from stylize_live.system import capture_rights
from stylize_live.system.capture_rights import ask_for_camera, ask_for_microphone, ask_for_screen

ASKING, RESTRICTED, REFUSED, GRANTED = range(4)  # as AVFoundation counts


class MacOs:
    """AVFoundation and Quartz, with a user who answers after some moments."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, status: int, answer: int = GRANTED) -> None:
        self.status = {"vide": status, "soun": status}
        self.answer, self.moments = answer, 3
        self.asked: list[str] = []
        self.now = 0.0
        foundation = ModuleType("AVFoundation")
        vars(foundation).update(
            AVMediaTypeVideo="vide",
            AVMediaTypeAudio="soun",
            AVCaptureDevice=SimpleNamespace(
                authorizationStatusForMediaType_=self.status.__getitem__,
                requestAccessForMediaType_completionHandler_=self._ask,
            ),
            NSDate=SimpleNamespace(dateWithTimeIntervalSinceNow_=lambda seconds: seconds),
            NSRunLoop=SimpleNamespace(currentRunLoop=lambda: SimpleNamespace(runUntilDate_=self._pass)),
        )
        monkeypatch.setitem(sys.modules, "AVFoundation", foundation)
        monkeypatch.setattr(capture_rights.sys, "platform", "darwin")
        monkeypatch.setattr(capture_rights, "monotonic", lambda: self.now)

    def _ask(self, kind: str, tell: Any) -> None:
        self.asked.append(kind)

    def _pass(self, seconds: float) -> None:
        self.now += seconds
        self.moments -= 1
        if self.moments == 0:
            self.status = dict.fromkeys(self.status, self.answer)
            foundation: Any = sys.modules["AVFoundation"]
            foundation.AVCaptureDevice.authorizationStatusForMediaType_ = self.status.__getitem__


@pytest.mark.parametrize(
    ("status", "right"), [(RESTRICTED, "refused"), (REFUSED, "refused"), (GRANTED, "granted"), (9, "unknown")]
)
def test_who_has_answered_is_not_asked_again(
    status: int, right: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    macos = MacOs(monkeypatch, status)
    assert ask_for_camera() == ask_for_microphone() == right
    assert macos.asked == []


@pytest.mark.parametrize(("answer", "right"), [(GRANTED, "granted"), (REFUSED, "refused")])
def test_the_main_thread_waits_for_the_answer(
    answer: int, right: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    macos = MacOs(monkeypatch, ASKING, answer)
    assert ask_for_camera() == right
    assert macos.asked == ["vide"]
    assert "macOS asks whether the terminal may use the camera" in caplog.text


def test_it_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    macos = MacOs(monkeypatch, ASKING)
    macos.moments = -1
    assert ask_for_camera() == "asking"
    assert 30 <= macos.now < 31


def test_other_threads_and_microphones_do_not_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    macos = MacOs(monkeypatch, ASKING)
    found: list[str] = []
    thread = threading.Thread(target=lambda: found.append(ask_for_camera()))
    thread.start()
    thread.join()
    assert found == ["asking"]
    assert ask_for_microphone() == "asking"
    assert macos.asked == ["vide", "soun"]
    assert macos.now == 0


class Register:
    """A function of C that answers in one byte, and leaves what was there before in the others."""

    restype: Any = ctypes.c_int

    def __init__(self, answer: bool) -> None:
        self._answer = answer

    def __call__(self) -> int | bool:
        return self._answer if self.restype is ctypes.c_bool else 0x7A00 + self._answer


@pytest.mark.parametrize(("allowed", "right", "requests"), [(True, "granted", 0), (False, "refused", 1)])
def test_the_screen(allowed: bool, right: str, requests: int, monkeypatch: pytest.MonkeyPatch) -> None:
    requested: list[bool] = []
    quartz = SimpleNamespace(
        CGPreflightScreenCaptureAccess=Register(allowed),
        CGRequestScreenCaptureAccess=lambda: requested.append(True),
    )
    monkeypatch.setattr(capture_rights.sys, "platform", "darwin")
    monkeypatch.setattr(capture_rights, "load_library", lambda path: quartz)
    assert ask_for_screen() == right
    assert len(requested) == requests


def test_a_macos_that_does_not_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture_rights.sys, "platform", "darwin")
    monkeypatch.setattr(capture_rights, "load_library", lambda path: None)
    monkeypatch.setitem(sys.modules, "AVFoundation", None)
    assert ask_for_camera() == ask_for_microphone() == ask_for_screen() == "unknown"


@pytest.mark.parametrize("system", ["linux", "win32"])
def test_other_systems_have_no_such_question(system: str, monkeypatch: pytest.MonkeyPatch) -> None:
    MacOs(monkeypatch, REFUSED)
    monkeypatch.setattr(capture_rights, "load_library", lambda path: pytest.fail("asked"))
    monkeypatch.setattr(capture_rights.sys, "platform", system)
    assert ask_for_camera() == ask_for_microphone() == ask_for_screen() == "unknown"
