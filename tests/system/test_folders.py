"""Folders that are hidden by a dot, and by a mark as on Windows and macOS."""

from __future__ import annotations

import ctypes
import stat
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tiny import random_pixels

from stylize_live.cli.image import _list_images
from stylize_live.conversion.queue import plan_jobs
from stylize_live.conversion.segment_store import SegmentStore
from stylize_live.files import replacing, sync
from stylize_live.media.image.io import Still, write_image
from stylize_live.system import folders
from stylize_live.system.folders import hide, is_hidden, is_marked
from stylize_live.training.dataset import find_photos


@pytest.fixture
def kernel(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """What Windows would be told."""
    told: list[tuple[str, int]] = []
    library = SimpleNamespace(SetFileAttributesW=lambda path, marks: told.append((path, marks)))
    monkeypatch.setattr(folders, "_WINDOWS", True)
    monkeypatch.setattr(ctypes, "WinDLL", lambda name: library, raising=False)
    return told


def test_our_own_folders_are_hidden(tmp_path: Path, kernel: list[tuple[str, int]]) -> None:
    with replacing(tmp_path / "a.txt") as temporary:
        temporary.write_text("a")
    with SegmentStore(tmp_path / "a.mp4", {}) as parts:
        pass
    assert kernel == [(str(tmp_path / ".a.txt.part"), 2), (str(parts.folder), 2)]


def test_a_library_that_does_not_answer_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "_WINDOWS", True)
    monkeypatch.delattr(ctypes, "WinDLL", raising=False)
    hide(tmp_path)


@pytest.mark.parametrize(
    ("marks", "hidden"),
    [
        ({"st_file_attributes": 0x2}, True),
        ({"st_file_attributes": 0x12}, True),
        ({"st_file_attributes": 0x10}, False),
        ({"st_flags": stat.UF_HIDDEN}, True),
        ({"st_flags": 0}, False),
        ({}, False),
    ],
)
def test_marks(marks: dict[str, int], hidden: bool) -> None:
    status: Any = SimpleNamespace(**marks)
    assert is_marked(status) is hidden


@pytest.fixture
def marked(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Let files and folders of a name bear the mark."""

    def mark(name: str) -> None:
        really = Path.stat

        def told(path: Path, **options: Any) -> Any:
            found = really(path, **options)
            if path.name != name:
                return found
            return SimpleNamespace(st_mode=found.st_mode, st_size=found.st_size, st_file_attributes=0x2)

        monkeypatch.setattr(folders, "_HAS_MARKS", True)
        monkeypatch.setattr(Path, "stat", told)

    return mark


def test_what_is_hidden_is_passed_over(tmp_path: Path, marked: Callable[[str], None]) -> None:
    for name in ("a", "marked", ".dot"):
        for folder in (tmp_path, tmp_path / f"{name} folder"):
            folder.mkdir(exist_ok=True)
            write_image(folder / f"{name}.png", Still(random_pixels(8, 8, 0)))
            (folder / f"{name}.mp4").touch()
    marked("marked.png")
    assert [path.name for path in _list_images(tmp_path)] == ["a.png"]
    marked("marked.mp4")
    marked("marked folder")
    jobs = plan_jobs([tmp_path], str(tmp_path / "out"), style="starry-night")
    assert [job.source.relative_to(tmp_path).as_posix() for job in jobs] == ["a.mp4", "a folder/a.mp4"]
    photos = find_photos(tmp_path)
    assert [path.relative_to(tmp_path).as_posix() for path in photos] == ["a folder/a.png", "a.png"]
    assert not is_hidden(tmp_path / "missing")


def test_a_folder_that_cannot_be_opened_need_not_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folders, "CAN_BE_OPENED", False)
    monkeypatch.setattr("os.open", lambda *_: pytest.fail("was opened"))
    assert sync(tmp_path)
