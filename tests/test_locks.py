"""What a killed process leaves is removed by the next one, and never what a living one is at."""

from __future__ import annotations

import ast
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import stylize_live
from stylize_live import file_locks
from stylize_live.file_locks import locked_folder, remove_dead, scratch_folder
from stylize_live.files import replacing

DIES = """
import os, sys
from pathlib import Path
from stylize_live.files import replacing
from stylize_live.file_locks import scratch_folder
with replacing(Path(sys.argv[1])) as temporary, scratch_folder() as folder:
    temporary.write_bytes(b"half")
    (folder / "video").write_bytes(b"whole")
    os._exit(9)
"""


@pytest.fixture
def temporary_place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    place = tmp_path / "temporary"
    place.mkdir()
    monkeypatch.setenv("TMPDIR", str(place))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return place


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    place = tmp_path / "out"
    place.mkdir()
    yield place
    assert [path.name for path in place.iterdir() if path.name.startswith(".")] == []


def test_the_next_run_removes_what_a_dead_one_left(folder: Path, temporary_place: Path) -> None:
    target = folder / "a.mp4"
    died = subprocess.run([sys.executable, "-c", DIES, str(target)], check=False)
    assert died.returncode == 9
    assert [path.name for path in folder.iterdir()] == [".a.mp4.part"]
    (left,) = temporary_place.iterdir()
    assert (left / "video").exists()
    with replacing(target) as temporary:
        temporary.write_bytes(b"whole")
        assert list(temporary.parent.parent.iterdir()) == [temporary.parent]
    assert target.read_bytes() == b"whole"
    with scratch_folder() as scratch:
        assert list(temporary_place.iterdir()) == [scratch]
    assert list(temporary_place.iterdir()) == []


def test_what_a_living_one_is_at_stays(folder: Path, temporary_place: Path) -> None:
    target = folder / "a.mp4"
    with replacing(target) as first, scratch_folder() as one:
        first.write_bytes(b"first")
        with replacing(target) as second, scratch_folder() as two:
            second.write_bytes(b"second")
            assert (first.read_bytes(), one.is_dir(), one != two) == (b"first", True, True)
        assert target.read_bytes() == b"second"
    assert target.read_bytes() == b"first"


@pytest.mark.posix
def test_nobody_elses_folder_is_touched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder for temporary files, others may have laid a trap."""
    precious = tmp_path / "precious"
    precious.mkdir()
    (precious / "lock").touch()
    (tmp_path / "stylize-live-1").symlink_to(precious)
    (tmp_path / "stylize-live-2").write_text("a file")
    theirs = tmp_path / "stylize-live-3"
    theirs.mkdir()
    (theirs / "lock").touch()
    remove_dead(tmp_path / "stylize-live-1")
    remove_dead(tmp_path / "stylize-live-2")
    mine = os.geteuid()
    monkeypatch.setattr(os, "geteuid", lambda: mine + 1)
    remove_dead(theirs)
    assert len(list(tmp_path.iterdir())) == 4
    assert (precious / "lock").exists()


def test_one_that_died_at_once_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    with locked_folder([tmp_path / "x"]) as folder:
        assert (folder / "lock").exists()
    assert list(tmp_path.iterdir()) == []


def test_without_locks_nothing_is_taken_for_dead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [tmp_path / "x", tmp_path / "y"]
    monkeypatch.setattr(file_locks, "hold_lock", lambda file: None)
    with locked_folder(names) as first, locked_folder(names) as second:
        assert [first, second] == names
        with pytest.raises(FileExistsError, match="others are at work"), locked_folder(names):
            pass


def test_temporary_folders_have_one_door() -> None:
    """Others would outlive a kill."""
    for path in Path(stylize_live.__file__).parent.rglob("*.py"):
        used = {
            node.attr
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            if isinstance(node, ast.Attribute)
        }
        assert not used & {"TemporaryDirectory", "mkdtemp", "mkstemp", "NamedTemporaryFile"}, path
