"""Files that other programs have open, as on Windows: patience first, then the name of the program."""

from __future__ import annotations

import ctypes
import errno
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from tiny import random_pixels

from stylize_live.errors import SinkError
from stylize_live.files import replacing
from stylize_live.media.image.io import Still, write_image
from stylize_live.system import file_holders
from stylize_live.system import replacing as module
from stylize_live.system.replacing import remove, replace

Busy = Callable[[int], list[float]]


@pytest.fixture
def busy(monkeypatch: pytest.MonkeyPatch) -> Busy:
    """Another program has all targets open for so many tries; gives the pauses that were made."""

    def answer(tries: int) -> list[float]:
        pauses: list[float] = []
        left = [tries]
        really_replace, really_unlink = os.replace, Path.unlink

        def refuse(path: object) -> None:
            left[0] -= 1
            if left[0] >= 0:
                raise PermissionError(errno.EACCES, "Access is denied", str(path))

        def replace_file(source: Path, target: Path) -> None:
            refuse(target)
            really_replace(source, target)

        def unlink(path: Path, missing_ok: bool = False) -> None:
            if path.name == "open.txt":
                refuse(path)
            really_unlink(path, missing_ok=missing_ok)

        monkeypatch.setattr(module, "_WINDOWS", True)
        monkeypatch.setattr(os, "replace", replace_file)
        monkeypatch.setattr(Path, "unlink", unlink)
        monkeypatch.setattr(module.time, "sleep", pauses.append)
        return pauses

    return answer


def test_a_file_that_is_open_for_a_moment(tmp_path: Path, busy: Busy) -> None:
    target = tmp_path / "style.safetensors"
    target.write_text("old")
    pauses = busy(2)
    with replacing(target) as temporary:
        temporary.write_text("new")
    assert target.read_text() == "new"
    assert len(pauses) == 2
    assert list(tmp_path.iterdir()) == [target]


def test_a_file_that_stays_open(tmp_path: Path, busy: Busy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "programs_using", lambda path: ["VLC media player", "Explorer"])
    target = tmp_path / "a.png"
    target.write_text("old")
    pauses = busy(1000)
    with pytest.raises(SinkError) as caught:
        write_image(target, Still(random_pixels(8, 8, 0)))
    assert str(caught.value) == (
        f"{target}: cannot write: it is open in VLC media player and Explorer, close that"
    )
    assert sum(pauses) == pytest.approx(2, abs=0.1)
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def test_who_reads_the_new_file_is_named_too(
    tmp_path: Path, busy: Busy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A virus scanner or an index is at what was just written, not at what is replaced."""
    new, old = tmp_path / "new.png", tmp_path / "a.png"
    readers = {new: ["Windows Search", "Explorer"], old: ["Explorer"]}
    monkeypatch.setattr(module, "programs_using", readers.__getitem__)
    busy(1000)
    with pytest.raises(PermissionError, match="open in Explorer and Windows Search, close that"):
        replace(new, old)


def test_nobody_knows_who_has_it(tmp_path: Path, busy: Busy) -> None:
    (tmp_path / "open.txt").write_text("a")
    busy(1000)
    with pytest.raises(PermissionError, match="close programs that have it open"):
        remove(tmp_path / "open.txt")


def test_removing(tmp_path: Path, busy: Busy) -> None:
    (tmp_path / "open.txt").write_text("a")
    pauses = busy(2)
    remove(tmp_path / "open.txt")
    remove(tmp_path / "open.txt")
    assert list(tmp_path.iterdir()) == []
    assert len(pauses) == 2


def test_a_refusal_elsewhere_is_for_good(tmp_path: Path, busy: Busy, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses = busy(1)
    monkeypatch.setattr(module, "_WINDOWS", False)
    with pytest.raises(PermissionError, match="Access is denied"):
        replace(tmp_path / "a", tmp_path / "b")
    assert pauses == []


class RestartManager:
    """In place of Windows' own: two programs have a file open, one of them twice."""

    def __init__(self, answer: int = 0) -> None:
        self.answer = answer
        self.asked = ""
        self.ended = False

    def RmStartSession(self, session: Any, flags: int, key: Any) -> int:  # noqa: N802
        session._obj.value = 7
        return 0

    def RmRegisterResources(self, session: Any, count: int, files: Any, *_: Any) -> int:  # noqa: N802
        units = []
        while units[-1:] != [0]:
            units.append(ctypes.c_uint16.from_address(files[0] + 2 * len(units)).value)
        self.asked = b"".join(unit.to_bytes(2, "little") for unit in units[:-1]).decode("utf-16-le")
        return 0

    def RmGetList(self, session: Any, needed: Any, given: Any, found: Any, reasons: Any) -> int:  # noqa: N802
        for number, name in enumerate(["VLC media player", "浪 player", "VLC media player"]):
            encoded = name.encode("utf-16-le")
            ctypes.memmove(ctypes.addressof(found[number]) + 12, encoded, len(encoded))
        given._obj.value = 3
        return self.answer

    def RmEndSession(self, session: Any) -> int:  # noqa: N802
        self.ended = session.value == 7
        return 0


def test_who_has_a_file_open(tmp_path: Path) -> None:
    windows = RestartManager()
    assert file_holders.programs_using(tmp_path / "浪.mp4", windows) == ["VLC media player", "浪 player"]
    assert windows.asked == str(tmp_path / "浪.mp4")
    assert windows.ended
    assert ctypes.sizeof(file_holders._Process) == 668  # as Windows' own headers have it
    assert file_holders.programs_using(tmp_path, RestartManager(answer=5)) == []
    assert file_holders.programs_using(tmp_path, object()) == []
