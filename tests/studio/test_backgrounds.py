"""The studio and the background: what pages can choose, and transparency on its way to them."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote

import numpy as np
import pytest
from clips import Video
from live_fakes import left_transparent
from PIL import Image
from studio_show import SETTINGS, Show, get, page, running
from tiny import random_pixels

from stylize_live.config import merge_config
from stylize_live.frame import Pixels
from stylize_live.media.image.io import Still, write_image
from stylize_live.studio.backgrounds import FOLDER, Backgrounds


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / FOLDER).mkdir()
    for name in ("beach.jpg", "Under water.png", ".hidden.png"):
        write_image(tmp_path / FOLDER / name, Still(random_pixels(64, 48)))
    Video().write(tmp_path / FOLDER / "aquarium.mp4")
    (tmp_path / FOLDER / "notes.txt").touch()
    (tmp_path / FOLDER / "broken.jpg").write_bytes(b"nothing")
    write_image(tmp_path / "secret.png", Still(random_pixels(64, 48)))
    return tmp_path / FOLDER


@pytest.fixture
def show(folder: Path) -> Iterator[Show]:
    with running(SETTINGS) as found:
        yield found


NAMES = ["aquarium.mp4", "beach.jpg", "broken.jpg", "Under water.png"]


def post(port: int, body: dict[str, str]) -> tuple[int, dict[str, object]]:
    from http.client import HTTPConnection

    line = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        line.request("POST", "/api/set", json.dumps(body))
        answer = line.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        line.close()


def test_files_of_the_folder_are_offered_with_small_images(show: Show) -> None:
    with page(show.port) as one:
        one.until(lambda: one.words.get("state", {}).get("backgrounds") == NAMES)
    for name in ("aquarium.mp4", "beach.jpg", "Under water.png"):
        status, headers, body = get(show.port, f"/backgrounds/{quote(name)}")
        assert (status, headers["content-type"]) == (200, "image/jpeg")
        with Image.open(io.BytesIO(body), formats=("JPEG",)) as image:
            assert image.size == (168, 112)
    for name in ("broken.jpg", "notes.txt", ".hidden.png", "..%2Fsecret.png", "secret.png", "gone.png"):
        assert get(show.port, f"/backgrounds/{name}")[0] == 404


def test_a_page_chooses_by_name_and_reaches_no_other_file(show: Show, folder: Path) -> None:
    with page(show.port) as one:
        one.set(background="Under water.png", paint="person", background_style="second")
        one.until_state(background="Under water.png", paint="person", background_style="second")
        assert show.stylizer.background == str(Path(FOLDER) / "Under water.png")
        for path in ("../secret.png", "secret.png", str(folder.parent / "secret.png"), f"{FOLDER}/beach.jpg"):
            one.set(background=path, background_style="no-such-style", strength=0.5)
            one.until_state(strength=0.5)
            assert show.stylizer.background == str(Path(FOLDER) / "Under water.png")
            assert show.stylizer.background_style == "second"
            one.set(strength=1.0)
            one.until_state(strength=1.0)
        one.set(background="#00ff00")
        one.until_state(background="#00ff00")
        one.set(background="", background_style="")
        one.until_state(background="", background_style="")


def test_programs_are_told_what_is_wrong(show: Show) -> None:
    with page(show.port) as one:  # somebody watches
        one.until_state(background="")
        for body, words in (
            ({"background": "secret.png"}, "there is 'aquarium.mp4', 'beach.jpg'"),
            ({"background_style": "none-such"}, "is offered here"),
        ):
            status, answer = post(show.port, body)
            assert status == 404
            assert words in str(answer["error"])
        status, answer = post(show.port, {"background": "blurr"})
        assert status == 400
        assert "did you mean blur" in str(answer["error"])
        assert post(show.port, {"paint": "me"})[0] == 400
        assert post(show.port, {"background": "beach.jpg"})[1]["background"] == "beach.jpg"


def test_a_file_that_broke_is_said_and_nothing_changes(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    from live_fakes import FakeStylizer

    from stylize_live.errors import SourceError

    def refuse(self: FakeStylizer, name: str, value: object) -> None:
        if name == "background" and "broken" in str(value):
            raise SourceError(f"{value}: cannot read the image")
        object.__setattr__(self, name, value)

    monkeypatch.setattr(FakeStylizer, "__setattr__", refuse)
    with page(show.port) as one:
        one.set(background="broken.jpg")
        one.until(lambda: "cannot read the image" in one.words.get("state", {}).get("note", ""))
        assert one.words["state"]["background"] == ""
        status, answer = post(show.port, {"background": "broken.jpg"})
        assert status == 409
        assert "cannot read the image" in str(answer["error"])


def test_a_preset_keeps_the_file_itself(show: Show) -> None:
    with page(show.port) as one:
        one.set(background="beach.jpg", paint="background")
        one.until_state(background="beach.jpg", paint="background")
        one.say(save="sea")
        one.until_state(presets=1)
        from stylize_live.config import LiveSettings

        assert merge_config(LiveSettings(), Path("sea.toml")).background == str(Path(FOLDER) / "beach.jpg")
        one.set(background="", paint="both")
        one.until_state(background="", paint="both")
        one.say(load="sea")
        one.until_state(background="beach.jpg", paint="background")


def test_what_the_show_began_with_is_offered_by_its_name(folder: Path) -> None:
    given = str(folder.parent / "secret.png")
    with running(SETTINGS.model_copy(update={"background": given})) as show, page(show.port) as one:
        one.until_state(backgrounds=["secret.png", *NAMES])
        one.set(background="secret.png")
        one.until_state(background="secret.png")
        assert show.stylizer.background == given
        told = json.dumps(one.words)
    assert str(folder.parent) not in told


def test_new_files_are_found_when_somebody_looks(show: Show, folder: Path) -> None:
    with page(show.port) as one:
        one.until(lambda: one.words.get("state", {}).get("backgrounds") == NAMES)
        (folder / "beach.jpg").unlink()
        one.say(do="look")
        one.until_state(backgrounds=[name for name in NAMES if name != "beach.jpg"])


@pytest.mark.posix
@pytest.mark.linux
def test_names_that_are_no_text_are_left_out(folder: Path) -> None:
    """They cannot be sent to pages, which could not ask for them."""
    listed = Backgrounds(folder, "").names
    for name in (b"caf\xe9.mp4", b"line\nbreak.jpg"):
        Path(os.fsdecode(os.fsencode(folder) + b"/" + name)).touch()
    assert Backgrounds(folder, "").names == listed


def test_links_are_not_followed(folder: Path) -> None:
    (folder / "link.png").symlink_to(folder.parent / "secret.png")
    os.mkfifo(folder / "pipe.png")
    assert Backgrounds(folder, "").names == NAMES


def test_without_a_folder_there_are_no_files(tmp_path: Path) -> None:
    assert Backgrounds(tmp_path / "none", "").names == []


# ------------------------------------------------------------------ transparency


def decode(data: bytes, kind: str) -> Pixels:
    with Image.open(io.BytesIO(data), formats=(kind,)) as image:
        return np.array(image.convert("RGBA" if kind == "PNG" else "RGB"))


@pytest.mark.parametrize("query", ["?masks=1", "?masks=1&bare=1"])
def test_pages_that_take_masks_get_one(show: Show, query: str) -> None:
    show.stylizer.background = "transparent"
    with page(show.port, query) as one:
        one.until(lambda: one.images)
        _, data = one.images[0]
        length = int.from_bytes(data[:4], "big")
        jpeg, mask = data[4 : 4 + length], data[4 + length :]
        size = decode(jpeg, "JPEG").shape[1::-1]
        assert (decode(mask, "PNG")[..., 3] == left_transparent(size)).all()
        show.stylizer.background = ""
        one.until(lambda: len(one.images[-1][1]) == 4 + int.from_bytes(one.images[-1][1][:4], "big"))


def test_others_see_black(show: Show) -> None:
    show.stylizer.background = "transparent"
    with page(show.port) as one:
        one.until(lambda: one.images)
        shown = decode(one.images[0][1], "JPEG")
        assert shown[:, : shown.shape[1] // 2 - 8].max() < 24
        assert shown[:, shown.shape[1] // 2 + 8 :].max() > 100
