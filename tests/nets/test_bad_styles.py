"""One bad file in the folder of own styles is one style left out: all else works."""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save
from tiny import GOOD_METADATA, TINY, make_checkpoint

from stylize_live.cli.app import main
from stylize_live.errors import StyleError
from stylize_live.nets.catalogue import own_names, style_names
from stylize_live.nets.checkpoint import load_checkpoint, save_checkpoint
from stylize_live.nets.style_folders import own_folder
from stylize_live.wording import is_plain

DEEP = "[" * 100_000


def described(**changes: str) -> Callable[[Path], None]:
    """A style but for what its metadata says."""

    def write(path: Path) -> None:
        tensors = {name: weight.astype(np.float16) for name, weight in make_checkpoint().weights.items()}
        path.write_bytes(save(tensors, GOOD_METADATA | changes))

    return write


def titled(title: str) -> Callable[[Path], None]:
    return described(style=json.dumps({"name": "x", "title": title}))


def weighing(change: Callable[[dict[str, np.ndarray]], object]) -> Callable[[Path], None]:
    """A style but for its weights."""

    def write(path: Path) -> None:
        tensors = {name: weight.astype(np.float16) for name, weight in make_checkpoint().weights.items()}
        change(tensors)
        path.write_bytes(save(tensors, GOOD_METADATA))

    return write


def headed(header: bytes, length: int | None = None) -> Callable[[Path], None]:
    """A file with a header of its own."""
    return lambda path: bytes_written(path, struct.pack("<Q", length or len(header)) + header)


def bytes_written(path: Path, content: bytes) -> None:
    path.write_bytes(content)


BAD: dict[str, Callable[[Path], object]] = {
    "deep style": described(style=DEEP),
    "deep training": described(training='{"a":' + DEEP + "1" + "]" * 100_000 + "}"),
    "deep architecture": described(architecture=DEEP),
    "deep header": headed(b'{"a":' * 50_000),
    "lone surrogate": described(style='{"name": "x", "title": "\\ud800"}'),
    "escape sequence": titled("\x1b]0;owned\x07\x1b[31m"),
    "one-character escape": titled("\x9b31m"),
    "text running backwards": titled("\u202egnp.txt"),
    "two lines": titled("a\nb"),
    "endless title": titled("x" * 100_000),
    "number of 5,000 digits": described(training='{"a": ' + "9" * 5_000 + "}"),
    "endless description": described(training=json.dumps({"a": "x" * (2 << 20)})),
    "no description": described(style="null"),
    "unknown field": described(style='{"name": "x", "evil": "y"}'),
    "number for a title": described(style='{"name": "x", "title": 7}'),
    "huge network": described(architecture=json.dumps(TINY.to_dict() | {"width": 512, "blocks_in": 512})),
    "NaN": weighing(lambda tensors: tensors["brightness"].fill(np.nan)),
    "infinity": weighing(lambda tensors: tensors["brightness"].fill(np.inf)),
    "other dtype": weighing(lambda tensors: tensors.update(brightness=np.zeros(1, np.int64))),
    "other shape": weighing(lambda tensors: tensors.update(brightness=np.zeros(2, np.float16))),
    "tensor too many": weighing(lambda tensors: tensors.update(extra=np.zeros(1, np.float16))),
    "tensor missing": weighing(lambda tensors: tensors.pop("brightness")),
    "empty": lambda path: path.touch(),
    "a few bytes": headed(b"{}", 5),
    "header beyond the end": headed(b"{}", 2**62),
    "not JSON": headed(b"\xff" * 100),
    "noise": lambda path: path.write_bytes(bytes(range(256)) * 100),
    "sparse": lambda path: (path.touch(), os.truncate(path, 1 << 40)),
    "folder": lambda path: path.mkdir(),
    "pipe": lambda path: os.mkfifo(path),
    "link to nowhere": lambda path: path.symlink_to("nowhere"),
    "link to itself": lambda path: path.symlink_to(path),
}

# Windows has no such pipes, lets few users make links, and takes the sparse file's room.
OF_POSIX = {"sparse", "pipe", "link to nowhere", "link to itself"}


@pytest.fixture
def good() -> None:
    own_folder().mkdir(parents=True, exist_ok=True)
    save_checkpoint(own_folder() / "good.safetensors", make_checkpoint("good"))


@pytest.mark.usefixtures("good")
@pytest.mark.parametrize(
    "kind", [pytest.param(kind, marks=pytest.mark.posix) if kind in OF_POSIX else kind for kind in BAD]
)
def test_others_work(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    path = own_folder() / "bad.safetensors"
    BAD[kind](path)
    with pytest.raises(StyleError) as caught:
        load_checkpoint(path)
    assert is_plain(str(caught.value))
    assert own_names() == ["good"]
    assert main(["styles"]) == 0
    said = capsys.readouterr()
    assert "good" in said.out
    assert all(is_plain(line) for line in said.out.splitlines())
    assert main(["styles", "bad", "--json"]) in (0, 3)  # one that cannot be painted with may be described
    capsys.readouterr()


@pytest.mark.usefixtures("good")
@pytest.mark.posix  # elsewhere names are text
def test_names_that_cannot_be_shown(capsys: pytest.CaptureFixture[str]) -> None:
    for name in (b"\x1b[31m", b"\xff", b"a\nb", "\u202e".encode()):
        save_checkpoint(
            Path(os.fsdecode(os.fsencode(own_folder()) + b"/" + name + b".safetensors")), make_checkpoint()
        )
    assert own_names() == ["good"]
    assert main(["styles", "--json"]) == 0
    assert main(["styles"]) == 0
    assert all(is_plain(line) for line in capsys.readouterr().out.splitlines())


@pytest.mark.posix
def test_what_may_not_be_read(good: None) -> None:
    if os.geteuid() == 0:
        pytest.skip("nothing is forbidden to this user")
    path = own_folder() / "bad.safetensors"
    described()(path)
    path.chmod(0)
    assert own_names() == ["good"]
    own_folder().chmod(0)
    try:
        assert "starry-night" in style_names()
    finally:
        own_folder().chmod(0o700)


def test_not_a_number_in_a_record_is_left_out() -> None:
    own_folder().mkdir(parents=True, exist_ok=True)
    described(training='{"loss": NaN, "rate": 1e999, "steps": 5}')(own_folder() / "odd.safetensors")
    assert load_checkpoint(own_folder() / "odd.safetensors").training == {
        "loss": None,
        "rate": None,
        "steps": 5,
    }


@pytest.mark.parametrize(
    ("option", "field"), [("--title", "title"), ("--artist", "artist"), ("--credit", "source")]
)
def test_training_writes_none(
    option: str, field: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "x.jpg").touch()
    words = ["train", str(tmp_path / "x.jpg"), "-o", str(tmp_path / "x.safetensors"), option, "a\x1b[31m"]
    assert main([*words, "--photos", str(tmp_path)]) == 2
    assert f"the style's {field} must fit on one line" in capsys.readouterr().err
