"""The studio over real sockets: what pages get, what they can change, and that they disturb nobody."""

from __future__ import annotations

import io
import json
import re
import threading
import time
from collections import Counter
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from pydantic import ValidationError
from studio_show import SETTINGS, STYLES, Page, Show, get, page, running
from waiting import eventually

from stylize_live.cli.app import main
from stylize_live.config import LiveSettings, merge_config
from stylize_live.engine.cuda.load import GpuLoad
from stylize_live.errors import SinkError, SourceError, UsageError
from stylize_live.frame import Frame, Pixels
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.image.io import read_image
from stylize_live.media.sinks.recorder import Recorder
from stylize_live.media.sources.no_source import NoSource
from stylize_live.media.sources.test_pattern import PatternSource
from stylize_live.studio.actions import ACTIONS
from stylize_live.studio.app import static_files
from stylize_live.studio.messages import Message, SettingChanges, shares_of, style_text
from stylize_live.studio.presets import save_preset
from stylize_live.studio.server import label_style
from stylize_live.studio.sources import source_name
from stylize_live.studio.telemetry import Load
from stylize_live.studio.thumbnails import crop_to_shape, sample_thumbnail


@pytest.fixture
def show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Show]:
    monkeypatch.chdir(tmp_path)  # snapshots, recordings and presets go there
    with running() as found:
        yield found


def decoded(jpeg: bytes) -> Pixels:
    return np.array(Image.open(io.BytesIO(jpeg)))


# ------------------------------------------------------------------ what pages get


def test_page_and_its_files(show: Show) -> None:
    for path, kind in {
        "/": "text/html",
        "/bare": "text/html",
        "/static/studio.js": "text/javascript",
        "/static/studio.css": "text/css",
        "/static/icon.svg": "image/svg+xml",
    }.items():
        status, headers, body = get(show.port, path)
        assert status == 200, path
        assert headers["content-type"].startswith(kind)
        assert headers["content-security-policy"].startswith("default-src 'self'")
        assert body
    for path in ("/static/nothing.js", "/static/..%2Fapp.py", "/static/sample.jpg", "/elsewhere"):
        assert get(show.port, path)[0] == 404, path


def test_what_the_page_switches_and_has_done_is_what_it_may_ask_for() -> None:
    html = static_files()["index.html"].decode()
    switched = re.findall(r'<(?:button|input) id="(\w+)" data-switch', html)
    assert {"mirror", "split", "frozen"} <= set(switched) <= SettingChanges.model_fields.keys()
    assert len(switched) == html.count("data-switch")
    done = re.findall(r'data-do="(\w+)"', html)
    assert {"snapshot", "record"} <= set(done) <= ACTIONS.keys()
    for name in done:
        assert Message.model_validate({"do": name}).do == name
    with pytest.raises(ValidationError, match=r"do: expected one of .*, got 'nothing'"):
        Message.model_validate({"do": "nothing"})


def test_the_page_asks_nobody_else() -> None:
    for name, text in static_files().items():
        found = text.decode().replace("http://www.w3.org/2000/svg", "")
        for word in ("http://", "https://", "url(", "@import", "//cdn"):
            assert word not in found, name


def test_pages_get_the_painted_frame_and_everything_about_it(show: Show) -> None:
    with page(show.port) as open_page:
        open_page.until(lambda: len(open_page.images) >= 5 and "figures" in open_page.words)
        open_page.until(lambda: len(open_page.words.get("thumbnails", {})) == 3)
        words = open_page.words
        numbers = [number for number, _ in open_page.images]
        assert numbers == sorted(set(numbers))
        pixels = decoded(open_page.images[-1][1])
        assert pixels.shape == (36, 64, 3)
        with PatternSource((64, 36), 50) as pattern:  # inverted, at whatever moment it was
            likely = [np.abs(255.0 - pattern.image(tick) - pixels).mean() for tick in range(400)]
        assert min(likely) < 4
        assert words["about"]["styles"] == STYLES
        assert words["about"]["names"]["first"] == "First"
        assert words["sources"]["test"] == "Test pattern"
        assert words["state"]["image"] == [64, 36]
        figure = words["figures"]["now"]
        assert {"fps", "source_fps", "dropped", "painting", "ms", "p95", "p99", "cpu", "gpu"} == figure.keys()
        assert 0 <= figure["cpu"] <= 1
        assert figure["gpu"] is None  # nothing is painted on one
        status, headers, body = get(show.port, "/thumbnails/1.jpg?1")
        assert (status, headers["content-type"]) == (200, "image/jpeg")
        assert decoded(body).shape == (240, 360, 3)
        assert get(show.port, "/thumbnails/7.jpg")[0] == 404


def test_the_bare_page_gets_frames_alone(show: Show) -> None:
    with page(show.port, "?bare=1") as bare:
        bare.until(lambda: len(bare.images) >= 5)
        assert bare.words == {}


# ------------------------------------------------------------------ what they can change


@pytest.mark.parametrize(
    "changes",
    [
        {"strength": 0.25},
        {"boldness": 0.25},
        {"steadiness": 0.0},
        {"stroke": 2.0},
        {"keep_colors": True},
        {"mirror": True},
        {"split": True},
        {"frozen": True},
        {"style": {"second": 1.0}},
        {"style": {"first": 0.3, "third": 0.7}},
    ],
    ids=lambda changes: "-".join(changes),
)
def test_a_change_on_one_page_shows_on_all(show: Show, changes: dict[str, Any]) -> None:
    with page(show.port) as one, page(show.port) as other:
        one.until_state(strength=1.0)
        one.set(**changes)
        one.until_state(**changes)
        other.until_state(**changes)


def test_what_is_changed_reaches_the_stylizer_and_the_frame(show: Show) -> None:
    with page(show.port) as open_page:
        open_page.until(lambda: open_page.images)
        open_page.set(style={"second": 1}, stroke=1.5, boldness=0.33, keep_colors=True, split=True)
        open_page.until_state(stroke=1.5, split=True)
        assert (show.stylizer.style, show.stylizer.stroke, show.stylizer.keep_colors) == ("second", 1.5, True)
        open_page.until(lambda: show.stylizer.boldness == 0.35)  # set in a thread of its own
        seen = len(open_page.images)
        open_page.until(lambda: len(open_page.images) > seen + 3)
        line = decoded(open_page.images[-1][1])[:, 31:33]
        assert line.mean() > 240  # between the original and the painted half


def test_styles_and_sources_that_are_not_offered_are_not_touched(show: Show) -> None:
    with page(show.port) as open_page:
        open_page.until_state(style={"first": 1.0})
        open_page.set(style={"/etc/passwd": 1.0}, source="/etc/passwd")
        open_page.set(style={"first": 0.5, "nothing": 0.5}, source="http://127.0.0.1/")
        open_page.set(strength=0.5)
        open_page.until_state(strength=0.5)
        assert open_page.words["state"]["style"] == {"first": 1.0}
        assert open_page.words["state"]["source"] == "test"


@pytest.mark.parametrize(
    "message",
    [
        {"set": {"strength": 1.5}},
        {"set": {"stroke": 0.0}},
        {"set": {"style": {}}},
        {"set": {"unheard": 1}},
        {"do": "rm"},
        {"save": "../outside"},
        {"save": ".hidden"},
        {"save": ""},
        {"press": ""},
        {"press": "x" * 9},
    ],
    ids=str,
)
def test_a_page_that_talks_nonsense_is_sent_away(show: Show, message: dict[str, Any]) -> None:
    with page(show.port) as open_page, page(show.port) as other:
        open_page.say(**message)
        assert open_page.end() == 1008
        other.until(lambda: len(other.images) > 3)


def test_a_message_that_is_too_long_ends_the_line(show: Show) -> None:
    with page(show.port) as open_page:
        open_page.say(save="x" * 5000)
        assert open_page.end() in (1008, 1009)


def test_snapshot_recording_and_preset_are_files(show: Show, tmp_path: Path) -> None:
    with page(show.port) as open_page:
        open_page.until(lambda: open_page.images)
        open_page.say(do="snapshot")
        open_page.until(lambda: "saved" in open_page.words["state"]["note"])
        (still,) = tmp_path.glob("first-*.png")
        assert read_image(still).pixels.shape == (36, 64, 3)

        open_page.say(do="record")
        open_page.until_state(recorded=1, on_record=1)
        open_page.say(do="record")
        open_page.until_state(recorded=None, on_record=None)
        (video,) = tmp_path.glob("first-*.mp4")

        open_page.set(strength=0.6, boldness=0.4, style={"first": 0.25, "second": 0.75}, mirror=True)
        open_page.say(save="my evening")
        open_page.until_state(note="saved: stylize-live live --config 'my evening.toml'")
        again = merge_config(LiveSettings(), tmp_path / "my evening.toml")
        assert again.style == "first:0.25,second:0.75"
        assert (again.strength, again.boldness, again.mirror, again.width) == (0.6, 0.4, True, 64)
        open_page.say(save="my evening")
        open_page.until_state(note="my evening.toml already exists, choose another name")
    with VideoReader(video) as reader:
        assert reader.size == (64, 36)
        assert sum(1 for _ in reader) > 10


def make_video(path: Path) -> Path:
    with Recorder(path, (48, 80)) as video:
        for index in range(20):
            pixels = np.full((80, 48, 3), 20, np.uint8)
            video.write(Frame(pixels, Fraction(index, 20), index / 20, index))
    return path


def test_another_source_of_another_size_while_it_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    video = make_video(tmp_path / "video.mp4")
    settings = SETTINGS.model_copy(update={"source": str(video)})
    with running(settings) as show, page(show.port) as open_page:
        open_page.until(lambda: len(open_page.images) > 25)  # longer than the video: it begins anew
        assert open_page.words["state"]["source_name"] == "video.mp4"
        assert open_page.words["state"]["image"] == [48, 80]
        open_page.set(source="test")
        open_page.until_state(source="test", image=[64, 36], note="")
        open_page.set(source="given")
        open_page.until_state(source="given", image=[48, 80], note="")
        open_page.say(save="video")
        open_page.until(lambda: "saved" in open_page.words["state"]["note"])
        assert merge_config(LiveSettings(), tmp_path / "video.toml").source == str(video)
        assert str(tmp_path) not in str(open_page.words)  # not for every page to read
        video.unlink()
        open_page.set(source="given")
        open_page.until_state(note=f"{video}: no such file")
        open_page.say(do="look")
        open_page.set(source="test")
        open_page.until_state(source="test", image=[64, 36], note="")


def test_without_a_camera_a_page_chooses() -> None:
    nothing = NoSource((64, 36), "no camera: choose a source")
    with running(SETTINGS.model_copy(update={"source": "7"}), nothing) as show, page(show.port) as open_page:
        open_page.until_state(no_source=True, note=nothing.trouble, source_name="Camera 7, not found")
        open_page.until(lambda: len(open_page.words.get("sources", {})) > 2)
        assert next(iter(open_page.words["sources"])) == "given"
        open_page.set(source="test")
        open_page.until_state(no_source=False, source="test", note="")
        seen = len(open_page.images)
        open_page.until(lambda: len(open_page.images) > seen + 3)


def test_a_source_that_fails_is_to_be_chosen_again() -> None:
    broken = NoSource((64, 36), "")
    broken.interrupt()  # it ends at once and has shown nothing
    with running(SETTINGS.model_copy(update={"source": "7"}), broken) as show, page(show.port) as open_page:
        show.studio.desk._sources._nothing = False
        open_page.until_state(no_source=True, note="Camera 7, not found gives no frames")


def test_keys_of_a_page_are_the_shows(show: Show) -> None:
    with page(show.port) as open_page:
        open_page.until_state(mirror=False)
        told = {name: key["on_page"] for key in open_page.words["about"]["keys"] for name in key["names"]}
        assert (told["m"], told["?"]) == ("show", "page")
        assert "q" not in told
        for key in ("q", "escape", "closed", "nothing"):  # a page does not end the show
            open_page.say(press=key)
        for key in ("m", "[", "space", "right"):
            open_page.say(press=key)
        open_page.until_state(mirror=True, strength=0.9, frozen=True, style={"second": 1.0}, note="2  second")


# ------------------------------------------------------------------ who is let in


def test_other_names_and_other_pages_are_refused(show: Show) -> None:
    own = f"127.0.0.1:{show.port}"
    assert get(show.port, "/", Host=f"localhost:{show.port}")[0] == 200
    assert get(show.port, "/", Host="evil.example")[0] == 403
    assert get(show.port, "/", Host="192.168.1.5")[0] == 403
    assert get(show.port, "/", Origin="http://evil.example")[0] == 403
    assert get(show.port, "/", Origin=f"http://{own}")[0] == 200
    for headers in (
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},  # none at all
        {"Origin": "http://evil.example", "Host": "evil.example"},
    ):
        with pytest.raises(Exception, match="403"), page(show.port, **headers):
            pass
    with page(show.port) as open_page:
        open_page.until(lambda: open_page.images)


def test_a_token_opens_the_door_and_stays_in_a_cookie() -> None:
    with running(token="a-long-secret") as show:
        port = show.port
        assert show.studio.url.endswith("/?token=a-long-secret")
        assert get(port, "/")[0] == 401
        assert get(port, "/?token=wrong")[0] == 401
        assert get(port, "/thumbnails/0.jpg")[0] == 401
        with pytest.raises(Exception, match="403"), page(port, "?token=a-long-secret"):
            pass  # a link with the token is for pages only
        status, headers, _ = get(port, "//evil.example/bare?token=a-long-secret&x=1")
        assert (status, headers["location"]) == (303, "/evil.example/bare?x=1")
        cookie = headers["set-cookie"].split(";")[0]
        assert "HttpOnly" in headers["set-cookie"]
        assert get(port, "/", Cookie=cookie)[0] == 200
        assert get(port, "/", Cookie=cookie + "x")[0] == 401
        with page(port, Cookie=cookie) as open_page:
            open_page.until(lambda: open_page.images)
            assert open_page.words["about"]["bare"] == "/bare?token=a-long-secret"


def test_other_machines_need_a_token_always() -> None:
    with running(host="0.0.0.0") as show:
        assert "?token=" in show.studio.url
        assert len(show.studio.url.split("token=")[1]) >= 20
        assert get(show.port, "/")[0] == 401
        assert get(show.port, "/", Host="evil.example")[0] == 403


def test_one_page_too_many(show: Show) -> None:
    pages = [page(show.port) for _ in range(9)]
    opened: list[Page] = [one.__enter__() for one in pages]
    assert opened[8].end() == 1013
    opened[0].until(lambda: opened[0].images)
    for one in pages:
        one.__exit__(None, None, None)
    with page(show.port) as again:
        again.until(lambda: again.images)


# ------------------------------------------------------------------ pages that come, go and hang


class CountedPattern(PatternSource):
    given = 0

    def image(self, tick: int) -> Pixels:
        self.given += 1
        return super().image(tick)

    def go_on(self, count: int) -> None:
        """Wait until there were so many more."""
        wanted = self.given + count
        eventually(lambda: self.given >= wanted, "the source goes on")


def test_nothing_is_painted_while_nobody_watches() -> None:
    source = CountedPattern((64, 36), 50)
    with running(source=source) as show:
        painted = show.stylizer.painted
        source.go_on(7)
        assert painted == []
        with page(show.port) as open_page:
            open_page.until(lambda: open_page.images)
            open_page.say(visible=False)  # the tab is behind another one
            eventually(lambda: not show.studio.watched)
            source.go_on(3)
            count = len(painted)
            source.go_on(7)
            assert len(painted) == count
            open_page.say(visible=True)
            eventually(lambda: len(painted) > count)
        eventually(lambda: not show.studio.watched)


def test_a_page_that_hangs_holds_up_nobody(show: Show) -> None:
    with page(show.port) as hanging, page(show.port) as well:
        while len(hanging.images) < 2:  # it takes these and says nothing
            hanging.hear(answer=False)
        well.until(lambda: len(well.images) > 40)
        hanging.until(lambda: "figures" in hanging.words)
        assert len(hanging.images) == 2


def test_pages_that_come_and_go_leave_nothing(show: Show) -> None:
    def threads() -> Counter[str]:
        return Counter(thread.name for thread in threading.enumerate())

    with page(show.port) as first:
        first.until(lambda: first.images)  # all of the show is under way then, the encoder, too
    before = threads()
    for _ in range(12):
        with page(show.port) as visitor:
            visitor.hear()
        eventually(lambda: not show.studio.watched)
    eventually(lambda: not threads() - before)
    with page(show.port) as open_page:
        open_page.until(lambda: len(open_page.images) > 3)


def test_a_port_that_is_taken_is_said(show: Show) -> None:
    with pytest.raises(SinkError, match=f"port {show.port}.*use another --port"), running(port=show.port):
        pass


def test_closing_sends_pages_away() -> None:
    with running() as show:
        visitor = page(show.port)
        open_page = visitor.__enter__()
        open_page.until(lambda: open_page.images)
    assert open_page.end() in (1001, 1012, None)
    visitor.__exit__(None, None, None)
    assert show.report.shown > 0


# ------------------------------------------------------------------ the parts


def test_blends_as_text_and_back() -> None:
    assert style_text({"first": 1.0}, STYLES) == "first"
    assert style_text({"first": 1.0, "second": 0.001}, STYLES) == "first"
    text = style_text({"first": 0.3, "second": 0.7}, STYLES)
    assert shares_of(text) == {"first": 0.3, "second": 0.7}
    assert style_text({"first": 1.0, "fourth": 1.0}, STYLES) == ""
    assert shares_of("0:first,3:second,oops") == {"0:first,3:second,oops": 1.0}


@pytest.mark.parametrize(
    ("style", "label"),
    [
        ("starry-night", "Starry Night"),
        ("composition-vii", "Composition VII"),
        ("/some/where/my_own style.safetensors", "My Own Style"),
    ],
)
def test_labels_of_styles(style: str, label: str) -> None:
    assert label_style(style) == label


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("0", "Camera 0"),
        ("HD Webcam", "HD Webcam"),
        ("screen", "Screen"),
        ("/home/me/video.mp4", "video.mp4"),
        ("rtsp://me:secret@cam.example/path", "cam.example"),
    ],
)
def test_names_of_sources_keep_secrets(text: str, name: str) -> None:
    assert source_name(text) == name


def test_presets_hold_what_was_given_and_what_was_changed(tmp_path: Path) -> None:
    given = LiveSettings(source='a "video" \\ ü.mp4', stream="auto", record=Path("x.mp4"), duration=3)
    save_preset(tmp_path / "a.toml", given, {"strength": 0.5, "source": given.source, "mirror": False})
    again = merge_config(LiveSettings(), tmp_path / "a.toml")
    assert (again.source, again.stream, again.strength) == (given.source, "auto", 0.5)
    assert again.record is None
    assert again.duration is None
    with pytest.raises(SinkError, match="already exists"):
        save_preset(tmp_path / "a.toml", given, {})
    with pytest.raises(SinkError, match="cannot write"):
        save_preset(tmp_path / "missing" / "a.toml", given, {})


def test_thumbnails_show_the_middle() -> None:
    pixels = np.zeros((100, 400, 3), np.uint8)
    pixels[:, 125:275] = 255
    assert crop_to_shape(pixels).shape == (240, 360, 3)
    assert crop_to_shape(pixels).mean() > 250
    assert sample_thumbnail().std() > 20


def test_load_is_a_share() -> None:
    load = Load()
    end = time.process_time() + 0.05
    while time.process_time() < end:
        pass
    assert 0 < load() <= 1


def test_the_gpus_load_is_asked_only_while_one_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def tell() -> int:
        asked.append(1)
        if len(asked) > 2:
            raise ModuleNotFoundError("nvidia-ml-py")
        return 40

    monkeypatch.setattr("torch.cuda.utilization", tell)
    load = GpuLoad()
    assert load() is None
    monkeypatch.setattr("torch.cuda.is_initialized", lambda: True)
    assert (load(), load()) == (0.4, 0.4)
    assert (load(), load()) == (None, None)
    assert len(asked) == 3  # what is not there is not looked for again


def test_the_command_runs_and_reports(
    tiny_style: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    words = ["studio", "--source", "test", "--style", str(tiny_style), "--width", "64", "--height", "48"]
    assert main([*words, "--port", "0", "--duration", "0.6", "--device", "cpu"]) == 0
    out = capsys.readouterr().out
    assert "studio: http://127.0.0.1:" in out
    assert "/bare" in out
    assert "more passed while nobody watched" in out


def test_the_command_starts_without_a_camera(
    tiny_style: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("stylize_live.media.sources.devices.find_cameras", list)
    words = ["--style", str(tiny_style), "--width", "64", "--height", "48", "--device", "cpu"]
    words += ["--duration", "0.3"]
    assert main(["studio", *words, "--port", "0"]) == 0
    told = capsys.readouterr()
    assert "shown    0 of 0 frames" in told.out
    assert "no camera '0'; none is connected" in told.err
    assert "choose a source on the page" in told.err
    assert main(["live", *words, "--no-window"]) == SourceError.exit_code
    assert main(["studio", *words, "--port", "0", "--source", "gone.mp4"]) == SourceError.exit_code


def test_live_has_the_page_beside_it(
    tiny_style: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    size = ["--width", "64", "--height", "48"]
    words = ["live", "--no-window", "--source", "test", "--style", str(tiny_style), "--device", "cpu", *size]
    assert main([*words, "--studio", "--port", "0", "--duration", "0.6"]) == 0
    out = capsys.readouterr().out
    assert "studio: http://127.0.0.1:" in out
    assert "more passed while nobody watched" in out  # the page would tell, no window is there
    assert main([*words, "--studio", "--port", "0", "--duration", "0.3", "--json"]) == 0
    said = capsys.readouterr()
    assert json.loads(said.out)["captured"]  # alone on standard output
    assert "studio: http://127.0.0.1:" in said.err
    for option in (["--port", "0"], ["--host", "0.0.0.0"], ["--token", "a-long-secret"]):
        assert main([*words, *option]) == UsageError.exit_code
        assert f"{option[0]} is for the studio's page: add --studio" in capsys.readouterr().err


def test_a_browsers_camera_needs_the_page(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["live", "--source", "browser", "--no-window"]) == UsageError.exit_code
    assert "add --studio" in capsys.readouterr().err
