"""The program as a user meets it: help, lists, images, and errors in one line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from mattes import ellipse, mattes
from option_values import as_words
from PIL import Image
from tiny import random_pixels

from stylize_live import __version__
from stylize_live.cli.app import app, main
from stylize_live.config import ConvertSettings
from stylize_live.media.image.io import Still, read_image, write_image
from stylize_live.nets.catalogue import style_names
from stylize_live.options import PaintingOptions

__all__ = ["mattes"]
COMMANDS = ["live", "studio", "obs", "convert", "image", "train", "styles", "devices"]


@pytest.fixture
def image(tmp_path: Path) -> Path:
    path = tmp_path / "in.png"
    write_image(path, Still(random_pixels(40, 30)))
    return path


def fails(arguments: list[object], capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """Run, expect a failure, and give the exit code and the one line on stderr."""
    code = main([str(a) for a in arguments])
    captured = capsys.readouterr()
    lines = captured.err.strip().splitlines()
    assert len(lines) == 1, captured.err
    assert lines[0].startswith("error: ")
    assert "Traceback" not in captured.err
    return code, lines[0]


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([command, "--help"]) == 0
    assert "Usage: stylize-live " + command in capsys.readouterr().out


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--help"]) == 0
    out = capsys.readouterr().out
    assert all(command in out for command in COMMANDS)


# Each setting of `convert` as words of the command line, and what becomes of it; none is its default.
GIVEN: dict[str, tuple[str, object]] = {
    "learn": ("1:30", "1:30"),
    "style": ("0:starry-night,2:great-wave", "0:starry-night,2:great-wave"),
    "device": ("cpu", "cpu"),
    "precision": ("float32", "float32"),
    "runtime": ("torch", "torch"),
    **{name: as_words(name) for name in PaintingOptions.model_fields},
    "size": ("360p", "360p"),
    "fps": ("29.97", "29.97"),
    "start": ("1:02.5", "1:02.5"),
    "end": ("1:03", "1:03"),
    "codec": ("hevc", "hevc"),
    "crf": ("21", 21),
    "preset": ("slow", "slow"),
    "decoder": ("auto", "auto"),
    "encoder": ("auto", "auto"),
    "bits": ("10", 10),
    "audio": ("none", "none"),
    "crossfade": ("0.25", 0.25),
    "preview": ("4", 4.0),
    "side_by_side": ("", True),
    "follow_sound": ("boldness", "boldness"),
    "sound_amount": ("0.5", 0.5),
    "sound_styles": ("udnie,great-wave", "udnie,great-wave"),
}


def test_every_setting_of_convert_can_be_given() -> None:
    words = ["convert", "in.mp4", "out.mp4"]
    for name, (text, _) in GIVEN.items():
        words += ["--" + name.replace("_", "-"), *filter(None, [text])]
    _, given, _ = app.parse_args(words, exit_on_error=False, print_error=False)
    expected = {name: value for name, (_, value) in GIVEN.items()}
    assert given.arguments["settings"].model_dump() == expected
    assert all(value != getattr(ConvertSettings(), name) for name, value in expected.items())


NAMES = ["[Group] Video - 01 [1080p].mp4", '["a.mp4"]', "[1]", " [a", "{a}.mp4", '{"a": 1}', "a=b", "@a"]


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    ("words", "argument"),
    [
        (["convert", "a.mp4", "NAME", "out/"], "videos"),
        (["image", "NAME", "-o", "out"], "inputs"),
        (["train", "a.png", "NAME"], "more"),
        (["evaluate", "--photos", "NAME", "b.jpg"], "photos"),
        (["evaluate", "--steadiness", "NAME"], "steadiness"),
        (["evaluate", "--photos", "a.jpg", "--paintings", "NAME"], "paintings"),
        (["styles", "--photos", "NAME", "NAME"], "photos"),
        (["convert", "videos", "out", "--include", "NAME"], "include"),
    ],
)
def test_a_name_is_a_name(words: list[str], argument: str, name: str) -> None:
    words = [name if word == "NAME" else word for word in words]
    _, given, _ = app.parse_args(words, exit_on_error=False, print_error=False)
    found = [str(path) for path in given.arguments[argument]]
    assert found.count(name) == words.count(name)


def test_names_are_printed_as_they_are(
    tiny_style: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    source = tmp_path / "[bold] [1].png"
    write_image(source, Still(random_pixels(40, 30)))
    out = tmp_path / "out"
    out.mkdir()
    assert main(["image", str(source), "-o", str(out), "--style", str(tiny_style)]) == 0
    assert capfd.readouterr().out == f"{out / source.name}\n"


def test_help_does_not_wait_for_torch_and_templates() -> None:
    code = (
        "import sys; from stylize_live.cli.app import main; main(['--help']);"
        "sys.exit(bool({'torch', 'jinja2'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=False).returncode == 0


def test_a_painting_that_is_missing_does_not_wait_for_torch(tmp_path: Path) -> None:
    code = (
        "import sys; from stylize_live.cli.app import main; code = main(['train', 'no.jpg']);"
        "sys.exit(99 if 'torch' in sys.modules else code)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, check=False)
    assert done.returncode == 4


def test_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out.strip() == f"stylize-live {__version__}"


def test_styles_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["styles", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == style_names()
    assert all(row["title"] and row["artist"] and row["licence"] and row["bytes"] > 1000 for row in rows)


def test_styles_as_table(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["styles"]) == 0
    out = capsys.readouterr().out
    assert all(name in out for name in style_names())


def test_image_to_file(image: Path, tiny_style: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    assert main(["image", str(image), "-o", str(out), "--style", str(tiny_style), "--device", "cpu"]) == 0
    assert read_image(out).pixels.shape == (30, 40, 3)


def test_image_side_by_side_starts_with_the_original(image: Path, tiny_style: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.png"
    arguments = ["image", image, "-o", out, "--style", tiny_style, "--side-by-side"]
    assert main([str(a) for a in arguments]) == 0
    both = read_image(out).pixels
    assert both.shape == (30, 80, 3)
    assert (both[:, :40] == read_image(image).pixels).all()


def test_image_strength_zero_keeps_alpha_and_pixels(tiny_style: Path, tmp_path: Path) -> None:
    alpha = np.tile(np.arange(40, dtype=np.uint8) * 6, (30, 1))
    still = Still(random_pixels(40, 30), alpha)
    write_image(tmp_path / "in.webp", still)
    source = read_image(tmp_path / "in.webp")
    out = tmp_path / "out.png"
    arguments = ["image", tmp_path / "in.webp", "-o", out, "--style", tiny_style, "--strength", 0]
    assert main([str(a) for a in arguments]) == 0
    result = read_image(out)
    assert (result.pixels == source.pixels).all()
    assert result.alpha is not None
    assert (result.alpha == alpha).all()


def test_image_folder_keeps_names(tiny_style: Path, tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("a.png", "b.jpg", "c.webp", "d.bmp"):
        Image.fromarray(random_pixels(20, 20)).save(folder / name)
    (folder / "notes.txt").write_text("not an image")
    out = tmp_path / "out"
    assert main(["image", str(folder), "-o", str(out), "--style", str(tiny_style)]) == 0
    assert sorted(p.name for p in out.iterdir()) == ["a.png", "b.jpg", "c.webp", "d.png"]


@pytest.mark.parametrize("output", ["painted/", "painted", "deep/painted/"])
def test_image_makes_the_folder(
    output: str, image: Path, tiny_style: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["image", str(image), "-o", output, "--style", str(tiny_style)]) == 0
    assert [path.name for path in (tmp_path / output).iterdir()] == ["in.png"]


def test_image_goes_on_after_a_bad_one(
    image: Path, tiny_style: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "bad.png").write_text("?")
    out = tmp_path / "out"
    arguments = ["image", tmp_path / "bad.png", image, "-o", out, "--style", tiny_style]
    assert main([str(a) for a in arguments]) == 4
    assert [p.name for p in out.iterdir()] == ["in.png"]
    assert "bad.png" in capsys.readouterr().err


def test_images_of_one_name_stop_no_others(
    image: Path, tiny_style: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, out = tmp_path / "in", tmp_path / "out"
    folder.mkdir()
    for name in ("a.png", "a.bmp", "b.png"):
        Image.open(image).save(folder / name)
    words = ["image", str(folder), str(folder / "b.png"), "-o", str(out), "--style", str(tiny_style)]
    assert main([*words, "--device", "cpu"]) == 2
    assert capsys.readouterr().err.count("several inputs would become") == 2
    assert [path.name for path in out.iterdir()] == ["b.png"]


def test_image_does_not_overwrite(
    image: Path, tiny_style: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.png"
    out.write_bytes(b"precious")
    arguments = ["image", image, "-o", out, "--style", tiny_style]
    assert fails(arguments, capsys) == (2, f"error: {out}: already exists, use --overwrite to replace it")
    assert out.read_bytes() == b"precious"
    assert main([*map(str, arguments), "--overwrite"]) == 0


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["image", "no.png", "-o", "x.png"], 4, "no such file"),
        (["image", "-o", "x.png"], 2, "no images given"),
        (["image", "no.png", "-o", "x.gif"], 2, "use one of"),
        (["image", "no.png", "-o", "x.png", "--style", "stary-nigt"], 3, "did you mean starry-night"),
        (["image", "no.png", "-o", "x.png", "--style", "a.safetensors"], 3, "cannot read the style"),
        (["image", "no.png", "-o", "x.png", "--strength", "2"], 2, "--strength"),
        (["image", "no.png", "-o", "x.png", "--stylo", "x"], 2, "Unknown option"),
        (["image", "no.png", "-o", "x.png", "--config", "no.toml"], 2, "cannot read the configuration"),
        (["image", "no.png", "-o", "x.png", "--style", "great-wave:x,the-scream"], 3, "positive share"),
        (["paint"], 2, "Unknown command"),
        (["train", "no.jpg", "--photos", "no", "-o", "x.safetensors"], 4, "no.jpg: no such file"),
        (["convert"], 2, "convert holiday.mp4 painted.mp4"),
        (["convert", "../it's.mov"], 2, """convert '../it'"'"'s.mov' painted.mov"""),
        (["convert", ".."], 2, "convert .. painted/"),
        (["convert", "video.avi"], 2, "convert video.avi painted.mp4"),
        (["convert", "painted.mkv"], 2, "convert painted.mkv result.mkv"),
        (["image"], 2, "stylize-live image photo.jpg -o painted.jpg"),
        (["image", "it's.png"], 2, """stylize-live image 'it'"'"'s.png' -o painted.jpg"""),
        (["image", "a.png", "b.png", "out.png"], 2, "stylize-live image a.png b.png -o painted/"),
        (["image", "a.png", "out.png"], 2, "stylize-live image a.png -o out.png"),
        (["image", ".."], 2, "stylize-live image .. -o painted/"),
        (["image", *"abcdefgh"], 2, "stylize-live image a b c ... -o painted/"),
        (["image", "a.png", "b.png", "-o", "out.png"], 2, "out.png: is a file, and a folder is needed here"),
        (["image", "a.png", "-o", "-"], 2, "images go into files"),
        (["export", "starry-night"], 2, "export starry-night -o starry-night.onnx"),
        (["train"], 2, "which painting? For example: stylize-live train sunset.jpg"),
        (["image", "no.png", "-o"], 2, "-o needs a value. File for one image; otherwise a folder"),
        (["convert", "a.mp4", "--codec"], 2, "--codec needs a value: auto, h264"),
        (["live", "--style"], 2, "--style needs a value. Name of a style"),
        (["live", "--fps", "ab"], 2, "--fps: expected a valid integer, got 'ab'"),
        (["live", "--source", "no camera", "--record", "a.avi"], 2, "recorded as .mp4, .m4v, .mov, .mkv"),
        (["live", "--source", "no camera", "--background", "no.jpg"], 4, "no.jpg: no such file"),
        (["live", "--style", "stary-nigt"], 3, "did you mean starry-night"),
        (["live", "--style", "0:great-wave,5:wavs"], 3, "did you mean waves"),
        (["live", "--style", "waves:x,udnie"], 3, "positive share"),
    ],
)
def test_errors_are_one_line(
    arguments: list[object],
    code: int,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    found, line = fails(arguments, capsys)
    assert found == code
    assert message in line
    assert not list(tmp_path.iterdir())


def test_debug_shows_where(image: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["image", "no.png", "-o", "x.png", "--debug"]) == 4
    assert "Traceback" in capsys.readouterr().err


def test_interrupt_is_130(monkeypatch: pytest.MonkeyPatch, image: Path, tmp_path: Path) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("stylize_live.media.image.io.read_strip_image", interrupt)
    assert main(["image", str(image), "-o", str(tmp_path / "x.png")]) == 130
    assert [p.name for p in tmp_path.iterdir()] == ["in.png"]


def test_a_timeline_is_for_videos(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_image(tmp_path / "in.png", Still(random_pixels(40, 30)))
    words = [
        "image",
        tmp_path / "in.png",
        "-o",
        tmp_path / "out.png",
        "--style",
        "0:starry-night,1:the-scream",
    ]
    assert main([str(word) for word in words]) == 2
    assert "images have no times" in capsys.readouterr().err
    assert not (tmp_path / "out.png").exists()


# ------------------------------------------------------------------ people and background


@pytest.mark.usefixtures("mattes")
def test_people_are_cut_out_of_an_image(image: Path, tmp_path: Path, tiny_style: Path) -> None:
    for name in ("out.png", "out.webp"):
        target = tmp_path / name
        words = ["image", image, "-o", target, "--style", tiny_style, "--background", "transparent"]
        assert main([str(word) for word in words]) == 0
        still = read_image(target)
        assert still.alpha is not None
        assert (still.alpha == ellipse((40, 30))).all()
    words[3] = target = tmp_path / "both.png"
    assert main([*map(str, words), "--side-by-side"]) == 0
    both = read_image(target).alpha
    assert both is not None
    assert (both[:, :40] == 255).all()


@pytest.mark.usefixtures("mattes")
def test_every_image_of_a_folder_begins_anew(image: Path, tmp_path: Path, tiny_style: Path) -> None:
    (tmp_path / "in").mkdir()
    for name in ("a.png", "b.png"):
        (tmp_path / "in" / name).write_bytes(image.read_bytes())
    words = ["image", str(tmp_path / "in"), "-o", str(tmp_path / "out"), "--style", str(tiny_style)]
    assert main([*words, "--paint", "person"]) == 0
    one, other = (read_image(tmp_path / "out" / name).pixels for name in ("a.png", "b.png"))
    assert (one == other).all()


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--background", "transparent"], 2, "cannot be transparent, write a .png or .webp"),
        (["--background", "blurr"], 2, "--background: expected blur"),
        (["--background", "nowhere.jpg"], 4, "nowhere.jpg: no such file"),
        (["--background-style", "0:starry-night,3:great-wave"], 2, "--background-style"),
        (["--background-style", "no-such"], 3, "unknown style 'no-such'"),
        (["--paint", "me"], 2, "--paint: expected 'both', 'person' or 'background'"),
    ],
)
def test_what_makes_no_sense_of_people_and_background(
    image: Path, tmp_path: Path, options: list[str], code: int, words: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (found := fails(["image", image, "-o", tmp_path / "out.jpg", *options], capsys))[0] == code
    assert words in found[1]
    assert not (tmp_path / "out.jpg").exists()
