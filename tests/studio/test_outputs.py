"""The studio's switches over real sockets: stream, virtual camera, microphone, resolution."""

from __future__ import annotations

import socket
import sys
import threading
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from fault_shows import Loopback
from studio_show import SETTINGS, Page, page, running

from stylize_live.config import LiveSettings, merge_config
from stylize_live.errors import SourceError
from stylize_live.media.sinks import virtual_camera
from stylize_live.media.sources import devices
from stylize_live.media.sources.devices import Camera
from stylize_live.media.sources.live_source import LiveSource
from stylize_live.media.sources.test_pattern import PatternSource
from stylize_live.studio import microphones as microphones_module
from stylize_live.studio import sources as sources_module
from stylize_live.studio.sources import Sources

OURS = Camera(10, "stylize-live", "/dev/video10", virtual=True)
OTHER = Camera(3, "HD Webcam", "/dev/video3")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def microphones(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("sounddevice")
    found = [
        {"index": 0, "name": "Speakers", "max_input_channels": 0},
        {"index": 4, "name": "USB Mic", "max_input_channels": 1},
    ]
    vars(module).update(query_devices=lambda *_, **__: found, PortAudioError=RuntimeError)
    monkeypatch.setitem(sys.modules, "sounddevice", module)


@pytest.fixture
def cameras(monkeypatch: pytest.MonkeyPatch) -> None:
    pyvirtualcam = pytest.importorskip("pyvirtualcam")
    monkeypatch.setattr(pyvirtualcam.camera, "BACKENDS", {"loopback": Loopback})
    for module in (virtual_camera, sources_module, devices):
        monkeypatch.setattr(module, "list_cameras", lambda: [OTHER, OURS])


def until_switch(open_page: Page, name: str, **wanted: object) -> dict[str, Any]:
    def stands() -> bool:
        return wanted.items() <= open_page.words.get("state", {}).get(name, {}).items()

    open_page.until(stands)
    found: dict[str, Any] = open_page.words["state"][name]
    return found


def test_the_stream_is_switched_on_and_off(folder: Path) -> None:
    settings = SETTINGS.model_copy(update={"stream": "0"})  # any free port; it is not on yet
    with running(settings) as show, page(show.port) as open_page:
        until_switch(open_page, "stream", on=False, place="")
        open_page.set(stream=True)
        place = until_switch(open_page, "stream", on=True)["place"]
        port = int(place.rpartition(":")[2])
        with socket.create_connection(("127.0.0.1", port), 5) as reader:
            assert reader.recv(16).startswith(b"nut/multimedia")
            open_page.say(save="with stream")
            open_page.until(lambda: (folder / "with stream.toml").exists())
            open_page.set(stream=False)
            until_switch(open_page, "stream", on=False, error="")
            while reader.recv(1 << 16):
                pass  # until it is closed
        open_page.say(save="without")
        open_page.until(lambda: (folder / "without.toml").exists())
    assert merge_config(LiveSettings(), folder / "with stream.toml").stream == "0"
    assert merge_config(LiveSettings(), folder / "without.toml").stream is None


def test_an_error_is_told_and_the_switch_goes_back() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        settings = SETTINGS.model_copy(update={"stream": str(port)})
        with running(settings) as show, page(show.port) as open_page:
            open_page.until_state(frozen=False)
            open_page.set(stream=True)
            state = until_switch(open_page, "stream", on=False, opening=False, place="")
            open_page.until(lambda: open_page.words["state"]["stream"]["error"])
            state = open_page.words["state"]["stream"]
            assert f"cannot serve a stream at 127.0.0.1:{port}" in state["error"]
            assert not state["on"]
            assert open_page.words["state"]["note"] == state["error"]
            seen = len(open_page.images)
            open_page.until(lambda: len(open_page.images) > seen + 3)


def test_without_a_virtual_camera_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    pyvirtualcam = pytest.importorskip("pyvirtualcam")
    monkeypatch.setattr(pyvirtualcam.camera, "BACKENDS", {})
    with running() as show, page(show.port) as open_page:
        open_page.until_state(frozen=False)
        open_page.set(virtual_camera=True)
        open_page.until(lambda: open_page.words["state"]["virtual_camera"]["error"])
        assert "no virtual camera" in open_page.words["state"]["virtual_camera"]["error"]
        assert not open_page.words["state"]["virtual_camera"]["on"]


def test_the_virtual_camera_that_we_feed_is_no_source(cameras: None) -> None:
    with running() as show, page(show.port) as open_page:
        open_page.until(lambda: "10" in open_page.words.get("sources", {}))
        open_page.set(virtual_camera=True)
        assert until_switch(open_page, "virtual_camera", on=True)["place"] == "/dev/video10"
        open_page.until(lambda: "10" not in open_page.words["sources"])
        assert "3" in open_page.words["sources"]
        open_page.set(virtual_camera=False)
        until_switch(open_page, "virtual_camera", on=False)
        open_page.until(lambda: "10" in open_page.words["sources"])


def test_a_source_that_turns_out_to_be_ours_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """It was chosen by a page whose list was older, or it is what the program was started with."""
    opened = PatternSource((64, 36), 50)
    opened.camera = OURS

    def open_source(settings: LiveSettings) -> LiveSource:
        return opened

    monkeypatch.setattr(sources_module, "open_live_source", open_source)
    with PatternSource((64, 36), 50) as first:
        sources = Sources(first, SETTINGS)
        sources.ours = "/dev/video10"
        with pytest.raises(SourceError, match="is our own virtual camera"):
            sources._open(SETTINGS)
    assert opened._released


def test_the_microphone_of_the_next_recording(microphones: None, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str | None] = []

    def record(path: Path, size: tuple[int, int], rate: object, microphone: str | None) -> None:
        asked.append(microphone)
        raise SourceError("no video here")

    monkeypatch.setattr("stylize_live.live.recordings.open_recorder", record)
    with running() as show, page(show.port) as open_page:
        open_page.until_state(microphone="")
        open_page.until(lambda: open_page.images and "4" in open_page.words["state"]["microphones"])
        assert open_page.words["state"]["microphones"] == {
            "": "No sound",
            "auto": "The system's choice",
            "4": "USB Mic",
        }
        assert open_page.words["state"]["no_microphones"] == ""
        for key in ("4", "/dev/audio", "0", ""):  # the second and third are not offered
            open_page.set(microphone=key)
            open_page.say(do="record")
        open_page.until(lambda: len(asked) == 4)
        assert asked == ["4", "4", "4", None]
        open_page.until_state(note="no video here", microphone="")


def test_no_microphone_says_why(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with running() as show, page(show.port) as open_page:
        open_page.until_state(microphone="")
        open_page.until(lambda: "is not installed" in open_page.words["state"]["no_microphones"])
        assert open_page.words["state"]["microphones"] == {"": "No sound"}


def test_what_was_given_is_offered_even_where_it_is_not_listed(microphones: None) -> None:
    given = microphones_module.Microphones("USB")
    told = threading.Event()
    given.refresh(told.set)
    assert told.wait(5)
    assert given.names["USB"] == "USB"
    assert list(given.names) == ["", "auto", "USB", "4"]


def test_another_resolution_while_it_runs(folder: Path) -> None:
    with running() as show, page(show.port) as open_page:
        open_page.until_state(image=[64, 36], resolution="64x36", has_resolution=True)
        assert "640x360" in open_page.words["about"]["resolutions"]
        assert open_page.words["about"]["resolutions"][0] == "64x36"
        open_page.set(resolution="640x360")
        open_page.until_state(image=[640, 360], resolution="640x360", note="")
        open_page.set(resolution="7680x4320")  # not offered
        open_page.set(strength=0.5)
        open_page.until_state(strength=0.5, resolution="640x360")
        open_page.say(save="large")
        open_page.until(lambda: (folder / "large.toml").exists())
    again = merge_config(LiveSettings(), folder / "large.toml")
    assert (again.width, again.height) == (640, 360)


def test_videos_keep_their_size() -> None:
    with PatternSource((64, 36), 50) as first:
        sources = Sources(first, SETTINGS.model_copy(update={"source": "video.mp4"}))
        assert not sources.has_resolution
        sources.resize("1280x720")  # for the next source that can be asked
        assert sources.switching.name == "video.mp4"
        assert sources.switching.trouble is None
        assert (sources.resolution, sources.requested_size) == ("1280x720", {"width": 1280, "height": 720})
