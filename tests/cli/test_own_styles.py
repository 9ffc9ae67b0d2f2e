"""The user's own styles: trained by one command, kept in one folder, found by name."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path

import platformdirs
import pytest
from tiny import make_checkpoint, random_pixels

from stylize_live.cli.app import main
from stylize_live.engine.style_loading import load_style
from stylize_live.errors import EXIT_INTERRUPTED, StyleError
from stylize_live.media.image.io import Still, write_image
from stylize_live.nets.catalogue import (
    own_names,
    style_names,
    style_path,
    style_word,
)
from stylize_live.nets.checkpoint import load_checkpoint, save_checkpoint
from stylize_live.nets.style_folders import shipped_names, style_name
from stylize_live.system.commands import quote
from stylize_live.training.trainer import Trainer

pytestmark = pytest.mark.timeout(600)  # where others are at work, PyTorch's threads wait for each other

QUICK = ["--steps", "2", "--crop", "64", "--batch", "1", "--painting-size", "64", "--device", "cpu"]


@pytest.fixture
def painting(tmp_path: Path) -> Path:
    path = tmp_path / "Mein Garten_(1912).png"
    write_image(path, Still(random_pixels(100, 80, 9)))
    return path


@pytest.fixture
def command(painting: Path, photos: Path, features_file: Path, tiny_style: Path) -> list[object]:
    """A short training, but for where it goes."""
    sources = ["--photos", photos, "--features", features_file, "--start", tiny_style]
    return ["train", painting, *sources, *QUICK]


def put(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    save_checkpoint(folder / f"{name}.safetensors", make_checkpoint(name))
    return folder / f"{name}.safetensors"


def fails(arguments: list[object], capsys: pytest.CaptureFixture[str]) -> str:
    """Run, expect a failure, and give the one line on stderr."""
    capsys.readouterr()
    assert main([str(a) for a in arguments]) != 0
    lines: list[str] = capsys.readouterr().err.strip().splitlines()
    assert len(lines) == 1, lines
    return lines[0]


def test_a_painting_becomes_a_style_that_is_found_by_name(
    painting: Path,
    photos: Path,
    features_file: Path,
    tiny_style: Path,
    own_styles: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    (photos / "broken.jpg").write_bytes(b"?")
    monkeypatch.setattr(platformdirs, "user_pictures_path", lambda: photos)
    source = ["--features", str(features_file), "--start", str(tiny_style)]
    assert main(["train", str(painting), *source, *QUICK]) == 0
    out = capsys.readouterr().out
    assert "stylize-live live --style mein-garten-1912\n" in out
    assert "skipped   1 photo that could not be read: broken.jpg\n" in out
    assert "on 1 photo it has practised on, too\n" in out

    style = own_styles / "mein-garten-1912.safetensors"
    assert load_checkpoint(style).info.name == "mein-garten-1912"
    names = {path.name for path in own_styles.iterdir()}
    assert names == {style.name, "mein-garten-1912-report.html", "mein-garten-1912-previews"}
    assert main(["styles", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert rows[-1]["name"] == "mein-garten-1912"
    assert rows[-1]["training"]["steps"] == 2

    photo, painted = photos / "0.png", painting.with_name("painted.png")
    assert main(["image", str(photo), "-o", str(painted), "--style", "mein-garten-1912"]) == 0
    assert painted.exists()

    before = style.read_bytes()
    assert "--overwrite" in fails(["train", painting, *source, *QUICK], capsys)
    assert style.read_bytes() == before
    assert main(["train", str(painting), *source, *QUICK, "--overwrite"]) == 0


@pytest.mark.usefixtures("small_features")
@pytest.mark.parametrize("name", ["m-report.html", "kept/photos.jpg", "kept/step-000003.jpg"])
def test_a_fresh_run_replaces_nothing_unasked(
    name: str, command: list[object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "kept").mkdir()
    (tmp_path / name).write_bytes(b"mine")
    similar = [
        tmp_path / "kept" / other for other in ("step-one.jpg", "step-0000003.jpg", "my-step-000003.jpg")
    ]
    for path in similar:
        path.write_bytes(b"mine")
    command += ["-o", tmp_path / "m.safetensors", "--previews", tmp_path / "kept"]
    error = fails(command, capsys)
    assert error.startswith(
        f"error: {tmp_path / name}: already exists: --overwrite to replace it, or another -"
    )
    assert (tmp_path / name).read_bytes() == b"mine"
    assert not (tmp_path / "m.state.safetensors").exists()

    assert main([*map(str, command), "--overwrite"]) == 0
    assert [path.read_bytes() for path in similar] == [b"mine"] * 3
    assert not (tmp_path / name).exists() or (tmp_path / name).read_bytes() != b"mine"
    error = fails(command, capsys)
    assert f"{tmp_path / 'm.safetensors'}: already exists" in error
    assert error.endswith("or another -o")


@pytest.mark.usefixtures("small_features")
def test_the_command_to_try_is_for_the_shell(
    command: list[object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "my garden's.safetensors"
    assert main([*map(str, command), "-o", str(output)]) == 0
    to_try = capsys.readouterr().out.partition("try it ")[2]
    assert to_try.strip() == f"stylize-live live --style {quote(str(output))}"


@pytest.mark.usefixtures("small_features")
@pytest.mark.parametrize("more", [[], ["--restart"]])
def test_an_unfinished_run_is_not_in_its_own_way(
    more: list[str],
    command: list[object],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    words = [*map(str, command), "-o", str(tmp_path / "m.safetensors")]
    with monkeypatch.context() as patch:
        patch.setattr(Trainer, "_step", interrupt)
        assert main(words) == EXIT_INTERRUPTED
    assert "the same command goes on" in capsys.readouterr().err
    assert (tmp_path / "m-report.html").exists()

    other = tmp_path / "album"
    other.mkdir()
    (other / "photos.jpg").write_bytes(b"mine")
    error = fails([*words, *more, "--previews", other], capsys)
    assert error.startswith(f"error: {other / 'photos.jpg'}: already exists: --overwrite")
    assert (other / "photos.jpg").read_bytes() == b"mine"

    assert main([*words, *more]) == 0
    assert load_checkpoint(tmp_path / "m.safetensors").training["steps"] == 2


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("sunset", "sunset"),
        ("Van Gogh - Café Terrace (1888)", "van-gogh-café-terrace-1888"),
        ("IMG_2041", "img-2041"),
        ("1906 portrait", "style-1906-portrait"),  # in a timeline, digits are times
        ("a,b:c/d", "a-b-c-d"),
        ("神奈川沖浪裏", "神奈川沖浪裏"),
        ("--", ""),
    ],
)
def test_names_from_file_names(text: str, name: str) -> None:
    assert style_name(text) == name


@pytest.mark.parametrize("stem", [240 * "a", 80 * "浪", "1" + 120 * "é", 100 * "a-"])
def test_long_names_leave_room_for_the_files_beside_a_style(stem: str) -> None:
    name = style_name(stem)
    assert len(name.encode()) > 170
    assert not name.endswith("-")
    for longest in (f"{name}.state.safetensors", f"{name}-report.html", f"{name}-previews"):
        assert len(longest.encode()) <= 255
    assert style_name(name) == name


@pytest.mark.posix
@pytest.mark.usefixtures("small_features")
def test_a_painting_with_a_long_name(
    photos: Path, features_file: Path, tiny_style: Path, tmp_path: Path, own_styles: Path
) -> None:
    write_image(tmp_path / "short.png", Still(random_pixels(100, 80, 9)))
    painting = (tmp_path / "short.png").rename(tmp_path / f"{80 * '浪'}.png")
    files = ["--photos", photos, "--features", features_file, "--start", tiny_style]
    assert main(["train", *map(str, [painting, *files]), *QUICK]) == 0
    assert len(own_names()[0]) == 79


def test_a_long_output_is_one_clear_error(
    painting: Path, photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / f"{260 * 'a'}.safetensors"
    assert "name is too long" in fails(["train", painting, "-o", output, "--photos", photos], capsys)


@pytest.mark.parametrize("name", ["starry-night", "Starry Night", "base", "scratch"])
def test_shipped_names_are_taken(
    name: str, painting: Path, photos: Path, own_styles: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    error = fails(["train", painting, "--photos", photos, "--name", name], capsys)
    assert "is taken" in error
    assert "--name" in error
    assert not own_styles.exists()


def test_no_name_and_no_photos_are_clear_errors(
    painting: Path,
    photos: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert "--name" in fails(["train", painting, "--photos", photos, "--name", "!!"], capsys)
    assert "--output" in fails(["train", painting, painting, "--photos", photos], capsys)
    monkeypatch.setattr(platformdirs, "user_pictures_path", lambda: tmp_path / "no-pictures")
    error = fails(["train", painting], capsys)
    assert "no-pictures" in error
    assert "--photos" in error


def test_own_styles_come_after_the_shipped_ones(own_styles: Path) -> None:
    assert own_names() == []
    for name in ("zebra", "aquarelle"):
        put(own_styles, name)
    assert style_names() == [*shipped_names(), "aquarelle", "zebra"]
    assert load_style("aquarelle").info.name == "aquarelle"
    assert load_style("aquarelle:1,zebra:2").info.title == ""
    both = load_style("starry-night:1,great-wave:2").info
    assert both.artist == "Vincent van Gogh + Katsushika Hokusai"
    assert both.year == "1889 + 1831"
    assert both.licence == "public domain"
    assert style_word(own_styles / "zebra.safetensors") == "zebra"
    assert style_word(Path("here/zebra.safetensors")) == str(Path("here/zebra.safetensors"))


def test_a_shipped_name_wins(own_styles: Path) -> None:
    put(own_styles, "starry-night")
    assert own_names() == []
    assert load_style("starry-night").info.artist == "Vincent van Gogh"


def test_what_is_no_style_is_left_out(own_styles: Path, caplog: pytest.LogCaptureFixture) -> None:
    style = put(own_styles, "fine")
    shutil.copy(style, own_styles / "run.state.safetensors")
    shutil.copy(style, own_styles / ".fine.123.part.safetensors")
    (own_styles / "broken.safetensors").write_bytes(b"?")
    (own_styles / "notes.txt").write_text("?")
    assert own_names() == ["fine"]
    assert "broken.safetensors" in caplog.text


def test_a_wrong_name_is_told_the_nearest_own_one(own_styles: Path) -> None:
    put(own_styles, "aquarelle")
    with pytest.raises(StyleError, match="did you mean aquarelle"):
        style_path("aquarel")


@pytest.mark.parametrize("command", ["live", "convert in.mp4 out.mp4", "image in.jpg"])
def test_the_shell_completes_names(
    command: str, own_styles: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own_styles.mkdir(parents=True, exist_ok=True)
    (own_styles / "mine.safetensors").touch()
    (own_styles / "later.state.safetensors").touch()
    assert main(["__complete", *command.split(), "--style", ""]) == 0
    offered = capsys.readouterr().out.split()
    assert {"starry-night", "mine"} <= set(offered)
    assert not [name for name in offered if "later" in name or name == "base"]


def test_a_style_file_may_have_a_comma_in_its_path(tmp_path: Path) -> None:
    path = tmp_path / "red, blue.safetensors"
    save_checkpoint(path, make_checkpoint("mixed"))
    assert load_style(str(path)).info.name == "mixed"


def test_a_file_of_a_shipped_name_is_called_by_its_path(own_styles: Path) -> None:
    assert style_word(own_styles / "starry-night.safetensors") == str(own_styles / "starry-night.safetensors")
    assert style_word(own_styles / "mine.safetensors") == "mine"


def test_brackets_in_a_title_are_no_markup(own_styles: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checkpoint = make_checkpoint("study")
    info = replace(checkpoint.info, title="Study [/oil]")
    own_styles.mkdir(parents=True, exist_ok=True)
    save_checkpoint(own_styles / "study.safetensors", replace(checkpoint, info=info))
    assert main(["styles", "study"]) == 0
    assert "Study [/oil]" in capsys.readouterr().out


@pytest.mark.usefixtures("small_features")
def test_what_lies_beside_a_new_style_is_not_replaced(
    painting: Path, own_styles: Path, features_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    report = tmp_path / "mine-report.html"
    report.write_text("mine")
    target = tmp_path / "mine.safetensors"
    words = ["train", painting, "-o", target, "--photos", tmp_path, "--features", features_file, *QUICK]
    assert "--overwrite to replace" in fails(words, capsys)
    assert report.read_text() == "mine"
    assert main([str(word) for word in (*words, "--overwrite")]) == 0
    assert report.read_text() != "mine"


def test_long_names_are_cut() -> None:
    name = style_name("ночь " * 80)
    assert len(name.encode()) <= 255 - len(".state.safetensors")
    assert name.startswith("ночь-ночь")
    assert not name.endswith("-")
