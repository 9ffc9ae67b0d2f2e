"""What some disks cannot do, how long names may be, and where symbolic links lead."""

from __future__ import annotations

import errno
import os
import stat
import tomllib
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from pathlib import Path

import pytest
from clips import CFR, Video, content, numbered
from tiny import make_checkpoint

from stylize_live.cli.app import main
from stylize_live.config import ConvertSettings, LiveSettings
from stylize_live.conversion.convert import convert
from stylize_live.conversion.progress import ConvertReport
from stylize_live.conversion.queue import ConversionJob, ConversionOutcome, convert_all
from stylize_live.conversion.segment_store import SegmentStore, folder_of, remove_abandoned
from stylize_live.errors import SinkError, SourceError, UsageError
from stylize_live.file_locks import hold_lock, locked_folder
from stylize_live.files import name_beside
from stylize_live.frame import Frame
from stylize_live.media.encode.growing_file import GrowingFile
from stylize_live.media.image.io import Still, read_image, write_image
from stylize_live.naming import snapshot_name
from stylize_live.nets.checkpoint import load_checkpoint, save_checkpoint
from stylize_live.studio.presets import save_preset
from stylize_live.system import advisory_locks
from stylize_live.system.replacing import replace

pytestmark = pytest.mark.posix

SETTINGS = ConvertSettings(preset="ultrafast")
Refuse = Callable[[int], object]


class Copier:
    """Leaves frames as they are."""

    fingerprint = "copier"

    def warm_up(self, size: tuple[int, int]) -> None:
        pass

    def stream(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        yield from frames


def run(source: Path, target: Path, *, overwrite: bool = False) -> ConvertReport:
    return convert(source, target, Copier(), SETTINGS, overwrite=overwrite)


def longest(suffix: str) -> str:
    """A name of 255 bytes, most letters of which are three."""
    stem = 255 - len(suffix)
    return "浪" * (stem // 3) + "a" * (stem % 3) + suffix


@pytest.fixture
def source(tmp_path: Path) -> Path:
    return Video(CFR).write(tmp_path / "in.mp4")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    (tmp_path / "out").mkdir()
    return tmp_path / "out"


@pytest.fixture
def locks_answer(monkeypatch: pytest.MonkeyPatch) -> Refuse:
    def answer(code: int) -> None:
        def refuse(*_: object) -> None:
            raise OSError(code, os.strerror(code))

        monkeypatch.setattr(advisory_locks, "claim", refuse)

    return answer


@pytest.fixture
def syncs_answer(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, bool], None]:
    """Of folders only, or of all."""
    really = os.fsync

    def answer(code: int, folders_only: bool) -> None:
        def refuse(handle: int) -> None:
            if stat.S_ISDIR(os.fstat(handle).st_mode) or not folders_only:
                raise OSError(code, os.strerror(code))
            really(handle)

        monkeypatch.setattr(os, "fsync", refuse)

    return answer


@pytest.mark.parametrize("code", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL])
def test_a_folder_without_locks(source: Path, out: Path, locks_answer: Refuse, code: int) -> None:
    locks_answer(code)
    report = run(source, out / "a.mp4")
    assert report.complete
    assert [note for note in report.notes if "support locks" in note] == report.notes
    assert len(report.notes) == 1
    assert [path.name for path in out.iterdir()] == ["a.mp4"]


@pytest.mark.parametrize("folders_only", [True, False])
@pytest.mark.parametrize("code", [errno.EINVAL, errno.EOPNOTSUPP, errno.EACCES])
def test_a_folder_that_cannot_be_synced(
    source: Path, out: Path, syncs_answer: Callable[[int, bool], None], code: int, folders_only: bool
) -> None:
    syncs_answer(code, folders_only)
    report = run(source, out / "a.mp4")
    assert len(report.notes) == 1
    assert "power cut" in report.notes[0]
    assert [path.name for path in out.iterdir()] == ["a.mp4"]


def test_a_broken_disk_is_the_targets_fault(
    source: Path, out: Path, syncs_answer: Callable[[int, bool], None]
) -> None:
    syncs_answer(errno.EIO, False)
    with pytest.raises(SinkError, match=r"a\.mp4: cannot write: Input/output error"):
        run(source, out / "a.mp4")
    assert list(out.iterdir()) == []


def test_a_lock_that_breaks_costs_no_segments(source: Path, out: Path, locks_answer: Refuse) -> None:
    folder = folder_of(out / "a.mp4")
    folder.mkdir()
    (folder / "000000.packets").write_bytes(b"work of hours")
    locks_answer(errno.EIO)
    for target in (out / "a.mp4", out / "b.mp4"):
        with pytest.raises(SinkError, match=rf"{target.name}: cannot write: Input/output error"):
            run(source, target)
    assert list(out.iterdir()) == [folder]
    assert (folder / "000000.packets").exists()


@pytest.mark.parametrize("code", [errno.EAGAIN, errno.EACCES])
def test_what_another_run_has_is_not_taken(out: Path, locks_answer: Refuse, code: int) -> None:
    locks_answer(code)
    with (out / "lock").open("ab") as file:
        assert hold_lock(file) is False
    with pytest.raises(SinkError, match="another run"):
        SegmentStore(out / "a.mp4", {})


def test_what_a_server_keeps_in_every_folder(source: Path, out: Path) -> None:
    (folder_of(out / "a.mp4") / "@eaDir").mkdir(parents=True)
    assert run(source, out / "a.mp4").complete


def test_a_video_that_a_player_has_open(source: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Windows also refuses to remove what was joined, for which nobody is to be told the second error."""

    really_replace, really_unlink = replace, Path.unlink

    def refuse(video: Path, target: Path) -> None:
        if target.suffix == ".mp4":
            raise PermissionError(errno.EACCES, "it is open in VLC media player, close that", str(target))
        really_replace(video, target)

    def keep(path: Path, missing_ok: bool = False) -> None:
        if path.suffix == ".mp4":
            raise PermissionError(errno.EACCES, "Access is denied", str(path))
        really_unlink(path, missing_ok=missing_ok)

    with monkeypatch.context() as patch:
        patch.setattr("stylize_live.conversion.segment_store.replace", refuse)
        patch.setattr(Path, "unlink", keep)
        with pytest.raises(SinkError, match=r"a\.mp4: cannot write: it is open in VLC media player, close"):
            run(source, out / "a.mp4")
    assert [path.name for path in out.iterdir()] == [folder_of(out / "a.mp4").name]
    assert run(source, out / "a.mp4").resumed == len(CFR)


@pytest.mark.parametrize("open_files_stay", [True, False])
def test_a_folder_is_closed_before_it_is_removed(
    out: Path, monkeypatch: pytest.MonkeyPatch, open_files_stay: bool
) -> None:
    monkeypatch.setattr(advisory_locks, "OPEN_FILES_STAY", open_files_stay)
    with locked_folder([out / "x"]) as folder:
        (folder / "a").touch()
    folder_of(out / "a.mp4").mkdir()
    remove_abandoned(out / "a.mp4")
    assert list(out.iterdir()) == []


def test_errors_name_their_file(source: Path, out: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    jobs = [ConversionJob(source, out / "a.mp4")]

    def outcome(*named: str) -> ConversionOutcome:
        def refuse(*_: object, **__: object) -> None:
            raise OSError(errno.EROFS, "Read-only file system", *named)

        monkeypatch.setattr("stylize_live.conversion.queue.convert", refuse)
        (found,) = convert_all(jobs, Copier(), SETTINGS)
        return found

    assert isinstance(outcome().error, SourceError)
    assert isinstance(outcome(str(source)).error, SourceError)
    elsewhere = outcome("/else/where").error
    assert isinstance(elsewhere, SinkError)
    assert str(elsewhere) == "/else/where: Read-only file system"


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".gif"])
def test_videos_of_long_names(source: Path, out: Path, suffix: str) -> None:
    target = out / longest(suffix)
    run(source, target)
    assert [path.name for path in out.iterdir()] == [target.name]
    assert len(content(target).times) == len(CFR)


def test_other_files_of_long_names(out: Path) -> None:
    pixels = numbered(3)
    write_image(out / longest(".png"), Still(pixels))
    assert (read_image(out / longest(".png")).pixels == pixels).all()
    save_checkpoint(out / longest(".safetensors"), make_checkpoint())
    assert load_checkpoint(out / longest(".safetensors")).info.name == "tiny"
    save_preset(out / longest(".toml"), LiveSettings(), {"style": "tiny"})
    assert tomllib.loads((out / longest(".toml")).read_text())["style"] == "tiny"
    style = "+".join(f"style-{number}:0.5" for number in range(40))
    (out / snapshot_name(style, datetime(2025, 1, 31), ".png")).touch()
    assert len(list(out.iterdir())) == 4


def test_long_names_stay_apart() -> None:
    same, other = (name_beside(f".{100 * '浪'}{end}", ".parts") for end in ("a", "b"))
    assert same == name_beside(f".{100 * '浪'}a", ".parts")
    assert same != other
    assert len(os.fsencode(same)) < 143
    assert name_beside(".out.mp4", ".parts") == ".out.mp4.parts"


def test_a_name_that_is_too_long_stops_nothing_else(
    source: Path, out: Path, tiny_style: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    jobs = [ConversionJob(source, out / f"a{longest('.mp4')}"), ConversionJob(source, out / "b.mp4")]
    outcomes = list(convert_all(jobs, Copier(), SETTINGS))
    assert [outcome.status for outcome in outcomes] == ["failed", "done"]
    assert isinstance(outcomes[0].error, SinkError)
    assert "File name too long" in str(outcomes[0].error)
    words = ["convert", "--style", str(tiny_style), "--device", "cpu", "-o"]
    assert main([*words, str(jobs[0].target), str(source)]) != 0
    assert "error: " in (said := capsys.readouterr().err)
    assert "File name too long" in said
    assert "internal error" not in said
    pattern = f"{out}/{{stem}}{'a' * 252}{{suffix}}"
    assert main([*words, pattern, str(source.parent), "--dry-run"]) == SinkError.exit_code
    assert "File name too long" in capsys.readouterr().out


@pytest.mark.parametrize("suffix", [".mp4", ".gif"])
@pytest.mark.parametrize("is_there", [True, False])
def test_a_link_stays_a_link(source: Path, tmp_path: Path, out: Path, suffix: str, is_there: bool) -> None:
    real, link = out / f"real{suffix}", tmp_path / f"link{suffix}"
    link.symlink_to(Path("out") / real.name)
    if is_there:
        real.write_bytes(b"old")
    run(source, link, overwrite=True)
    assert link.is_symlink()
    assert [path.name for path in out.iterdir()] == [real.name]
    assert len(content(real).times) == len(CFR)


def test_segments_wait_on_the_disk_of_the_video(tmp_path: Path, out: Path) -> None:
    (tmp_path / "link.mp4").symlink_to(out / "real.mp4")
    assert folder_of(tmp_path / "link.mp4") == folder_of(out / "real.mp4")
    with SegmentStore(out / "real.mp4", {}), pytest.raises(SinkError, match="another run"):
        SegmentStore(tmp_path / "link.mp4", {})


def test_other_files_behind_links(tmp_path: Path, out: Path) -> None:
    for name in ("a.png", "b.mp4"):
        (tmp_path / name).symlink_to(out / name)
    (out / "a.png").write_bytes(b"old")
    write_image(tmp_path / "a.png", Still(numbered(1)))
    with GrowingFile(tmp_path / "b.mp4") as recording:
        recording.write(b"new")
    assert all((tmp_path / name).is_symlink() for name in ("a.png", "b.mp4"))
    assert (read_image(out / "a.png").pixels == numbered(1)).all()
    assert (out / "b.mp4").read_bytes() == b"new"


def test_a_link_that_leads_nowhere(source: Path, tmp_path: Path) -> None:
    (tmp_path / "link.mp4").symlink_to(tmp_path / "missing" / "out.mp4")
    with pytest.raises(SinkError, match=r"link\.mp4: the folder .*missing does not exist"):
        run(source, tmp_path / "link.mp4")


@pytest.mark.parametrize("command", ["convert", "image"])
def test_a_name_that_no_file_system_takes_is_a_wrong_option(
    command: str, source: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([command, str(source), "-o", "9" * 5000]) == UsageError.exit_code
    assert "too long" in capsys.readouterr().err
