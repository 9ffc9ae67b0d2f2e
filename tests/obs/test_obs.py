"""`stylize-live obs` against an OBS that has nothing but its remote control, and the same against a real one.

For the real one: `apt-get install --no-install-recommends obs-studio xvfb libgl1-mesa-dri`, then
`pytest -m slow tests/obs/test_obs.py`. With SCREENSHOTS=folder, what it shows is kept there.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fake_obs import SCENE, FakeObs, running
from places import ROOT
from waiting import eventually

from stylize_live.cli.app import main
from stylize_live.engine import Stylizer
from stylize_live.frame import Pixels
from stylize_live.media.image.io import Still, write_image
from stylize_live.media.sinks import stream_server
from stylize_live.obs import own_settings
from stylize_live.obs.addresses import Served
from stylize_live.obs.sources import MARK, fit_to_canvas, make_media_source

obsws_python = pytest.importorskip("obsws_python", reason="the extra 'obs'")

URL = "tcp://127.0.0.1:9710"
NAME = "stylize-live"
CANVAS = 1280, 720
_STOP = "OBS_WEBSOCKET_MEDIA_INPUT_ACTION_STOP"
_WHICH = [
    "fake",
    pytest.param(
        "real",
        marks=[
            pytest.mark.slow,
            pytest.mark.skipif(
                shutil.which("obs") is None or shutil.which("Xvfb") is None, reason="needs OBS and Xvfb"
            ),
        ],
    ),
]


@dataclass
class World:
    """An OBS, its user, and our command.

    Attributes:
        fake: it, if it is none.
    """

    port: int
    password: str
    user: Any
    fake: FakeObs | None = None

    def ask(self, request: str, **data: object) -> dict[str, Any]:
        """What its user does there, or looks at."""
        return dict(self.user.send(request, data, raw=True) or {})

    def run(self, *words: str) -> int:
        """`stylize-live obs`, told where this OBS is."""
        return main(["obs", "--port", str(self.port), "--password", self.password, *words])

    def sources(self) -> dict[str, str]:
        """Kinds by name."""
        return {each["inputName"]: each["inputKind"] for each in self.ask("GetInputList")["inputs"]}

    def settings(self, name: str = NAME) -> dict[str, Any]:
        """Of a source, without our mark."""
        found = dict(self.ask("GetInputSettings", inputName=name)["inputSettings"])
        assert found.pop(MARK)["name"] == NAME
        return found

    def items(self, scene: str = SCENE) -> list[dict[str, Any]]:
        """Places of sources in a scene."""
        return list(self.ask("GetSceneItemList", sceneName=scene)["sceneItems"])

    def place(self, scene: str = SCENE) -> dict[str, Any]:
        """Where the one source of a scene lies."""
        (item,) = self.items(scene)
        assert item["sceneItemEnabled"]
        return {name: item["sceneItemTransform"][name] for name in fit_to_canvas(CANVAS)}

    def move(self, scene: str = SCENE, **transform: object) -> None:
        """As its user drags a source."""
        (item,) = self.items(scene)
        where = {"sceneName": scene, "sceneItemId": item["sceneItemId"]}
        self.ask("SetSceneItemTransform", **where, sceneItemTransform=transform)

    def resize(self, width: int, height: int) -> None:
        """The canvas."""
        size = {"baseWidth": width, "baseHeight": height, "outputWidth": width, "outputHeight": height}
        self.ask("SetVideoSettings", **size, fpsNumerator=30, fpsDenominator=1)

    def until(self, is_so: Callable[[], bool], seconds: float = 10.0) -> None:
        """A real one does some things at its next frame."""
        eventually(is_so, "what OBS was told", within=seconds)

    def clear(self) -> None:
        """As it was at first."""
        for scene in (SCENE, "Scene"):
            for item in self.items(scene):
                self.ask("RemoveSceneItem", sceneName=scene, sceneItemId=item["sceneItemId"])
        self.until(lambda: not self.sources())
        self.resize(*CANVAS)
        self.ask("SetCurrentProgramScene", sceneName=SCENE)


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "benchmarks")
        from real_obs import running_obs

        with running_obs(tmp_path_factory.mktemp("obs"), CANVAS, 30) as found:
            yield World(found.port, found.password, found.client)


@pytest.fixture(params=_WHICH)
def world(request: pytest.FixtureRequest, nothing_known: None) -> Iterator[World]:
    if request.param == "real":
        found = request.getfixturevalue("real")
        yield found
        found.clear()
        return
    with (
        running(FakeObs(password="secret")) as fake,
        obsws_python.ReqClient(host="127.0.0.1", port=fake.port, password="secret", timeout=5) as user,
    ):
        yield World(fake.port, "secret", user, fake)


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody on this machine serves the usual ports."""
    monkeypatch.setattr(Served, "is_there", lambda self: False)


@pytest.fixture
def fake(nothing_known: None) -> Iterator[World]:
    with (
        running(FakeObs()) as obs,
        obsws_python.ReqClient(host="127.0.0.1", port=obs.port, password="", timeout=5) as user,
    ):
        yield World(obs.port, "", user, obs)


def test_the_documented_fields_are_those_that_are_set() -> None:
    keys = {
        "Local File": "is_local_file",
        "Restart playback when source becomes active": "restart_on_activate",
        "Close file when inactive": "close_when_inactive",
        "Network Buffering": "buffering_mb",
        "Reconnect Delay": "reconnect_delay_sec",
        "Input": "input",
        "Input Format": "input_format",
        "Use hardware decoding when available": "hw_decode",
        "Show nothing when playback ends": "clear_on_media_end",
    }
    page = (ROOT / "docs" / "obs.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| ([A-Z][^|]+?) \| ([^|]+?) \|$", page, re.MULTILINE))
    said = {key: rows[name].strip("`") for name, key in keys.items()}
    shown = {True: "on", False: "off"}
    units = {"buffering_mb": " MB", "reconnect_delay_sec": " s"}
    for key, value in make_media_source(URL).settings.items():
        text = shown[value] if isinstance(value, bool) else f"{value}{units.get(key, '')}"
        assert said.pop(key) == text
    assert not said


def test_the_stream_fills_the_canvas_of_the_scene_on_air(
    world: World, silent: None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert world.run() == 0
    assert world.sources() == {NAME: "ffmpeg_source"}
    assert world.settings() == make_media_source(URL).settings
    assert world.place() == fit_to_canvas(CANVAS)
    assert world.items("Scene") == []
    lines = capsys.readouterr().out.splitlines()
    assert lines == [
        f"OBS 29.0.2 at 127.0.0.1:{world.port}",
        f"{NAME}: Media Source added on top of scene 'stage', as large as the canvas (1280x720) allows",
        f"{NAME}: shows {URL}",
        "now start it: stylize-live live --obs",
        "to take the source away again: stylize-live obs --undo",
    ]


def test_a_second_run_changes_nothing(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.run()
    before = world.settings(), world.items()
    if world.fake:
        world.fake.asked.clear()
    capsys.readouterr()
    assert world.run() == 0
    assert (world.settings(), world.items()) == before
    assert world.sources() == {NAME: "ffmpeg_source"}
    assert f"{NAME}: is set up already, shows {URL}" in capsys.readouterr().out.splitlines()
    assert world.fake is None or world.fake.changed_by == []


def test_a_stream_that_obs_has_given_up_is_opened_again(fake: World) -> None:
    """It says that it plays, and is at its beginning for ever; the same settings, given again, wake it."""
    assert fake.fake is not None
    fake.run()
    before = fake.settings()
    fake.fake.asked.clear()
    fake.fake.cursor = 0
    assert fake.run("--dry-run") == 0
    assert fake.fake.changed_by == []
    assert fake.run() == 0
    assert fake.fake.changed_by == ["SetInputSettings"]
    assert fake.settings() == before


def test_another_scene(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert world.run("--scene", "Scen") == 5
    assert "error: OBS has no scene 'Scen', did you mean 'Scene'?" in capsys.readouterr().err
    assert world.run("--scene", "Nowhere") == 5
    assert "there are: " in capsys.readouterr().err
    assert world.sources() == {}
    assert world.run("--scene", "Scene") == 0
    assert world.items() == []
    assert world.place("Scene") == fit_to_canvas(CANVAS)


def test_scenes_share_the_source(world: World) -> None:
    """It is there once, however many scenes show it; and the scene on air is no reason to add it again."""
    world.run("--scene", "Scene")
    assert world.run() == 0
    assert world.items() == []
    assert world.run("--scene", SCENE) == 0
    assert world.place() == world.place("Scene") == fit_to_canvas(CANVAS)
    assert world.sources() == {NAME: "ffmpeg_source"}
    assert world.run("--undo") == 0
    world.until(lambda: not world.sources() and not world.items() and not world.items("Scene"))


def test_another_port_is_followed_under_another_name(
    world: World, silent: None, capsys: pytest.CaptureFixture[str]
) -> None:
    world.run()
    world.ask("SetInputName", inputName=NAME, newInputName="my frame")
    capsys.readouterr()
    assert world.run("--stream", "9711") == 0
    assert world.sources() == {"my frame": "ffmpeg_source"}
    assert world.settings("my frame") == make_media_source("tcp://127.0.0.1:9711").settings
    out = capsys.readouterr().out
    assert "my frame: set again: input\nmy frame: shows tcp://127.0.0.1:9711\n" in out
    assert "now start it: stylize-live live --obs --stream 9711\n" in out


def test_a_place_that_was_chosen_stays(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.run()
    world.move(positionX=100, boundsWidth=320, boundsHeight=180)
    world.resize(1920, 1080)
    capsys.readouterr()
    assert world.run() == 0
    assert world.place() == fit_to_canvas(CANVAS) | {
        "positionX": 100,
        "boundsWidth": 320,
        "boundsHeight": 180,
    }
    assert "size and place in scene 'stage' stay as they were changed" in capsys.readouterr().out


def test_another_canvas_is_followed(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.run()
    world.resize(1920, 1080)
    capsys.readouterr()
    assert world.run() == 0
    assert world.place() == fit_to_canvas((1920, 1080))
    assert "fitted to the canvas (1920x1080) in scene 'stage'" in capsys.readouterr().out
    assert world.run("--undo") == 0
    world.until(lambda: not world.sources())


def test_a_source_that_was_taken_out_of_its_scene_comes_back(world: World) -> None:
    world.run()
    (item,) = world.items()
    world.ask("CreateScene", sceneName="spare") if world.fake is None else world.fake.scenes.update(spare=[])
    try:
        world.ask("CreateSceneItem", sceneName="spare", sourceName=NAME)  # or OBS would drop it altogether
        world.ask("RemoveSceneItem", sceneName=SCENE, sceneItemId=item["sceneItemId"])
        world.until(lambda: not world.items())
        assert world.run("--scene", SCENE) == 0
        assert world.place() == fit_to_canvas(CANVAS)
    finally:
        if world.fake is None:
            world.ask("RemoveScene", sceneName="spare")


def test_undo_takes_away_nothing_else(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    theirs = {"sceneName": SCENE, "inputName": "theirs", "inputKind": "ffmpeg_source"}
    world.ask("CreateInput", **theirs, inputSettings=make_media_source(URL).settings)
    world.run()
    capsys.readouterr()
    assert world.run("--undo", "--dry-run") == 0
    assert capsys.readouterr().out.splitlines()[1:] == [
        "dry run, nothing is changed; what would be:",
        f"{NAME}: removed",
    ]
    assert world.sources().keys() == {"theirs", NAME}
    assert world.run("--undo") == 0
    world.until(lambda: world.sources().keys() == {"theirs"})
    assert [item["sourceName"] for item in world.items()] == ["theirs"]
    assert capsys.readouterr().out.splitlines()[1:] == [f"{NAME}: removed"]
    assert world.run("--undo") == 0
    nothing = "nothing in the open scene collection was made by this command"
    assert capsys.readouterr().out.splitlines()[1:] == [nothing]


def _rename(world: World) -> None:
    world.ask("SetInputName", inputName=NAME, newInputName="mine")


def _set(world: World) -> None:
    world.ask("SetInputSettings", inputName=NAME, inputSettings={"speed_percent": 50}, overlay=True)


def _filter(world: World) -> None:
    world.ask("CreateSourceFilter", sourceName=NAME, filterName="soft", filterKind="color_filter_v2")


def _add(world: World) -> None:
    world.ask("CreateSceneItem", sceneName="Scene", sourceName=NAME)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (_rename, "it was renamed or copied"),
        (_set, "its settings were changed"),
        (_filter, "it was given filters"),
        (_add, "it was added to a scene"),
        (lambda world: world.move(cropLeft=20), "it was moved or resized"),
    ],
    ids=["renamed", "set", "filtered", "added", "moved"],
)
def test_undo_loses_no_change(
    change: Callable[[World], None], reason: str, world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    world.run()
    change(world)
    capsys.readouterr()
    assert world.run("--undo") == 0
    assert re.search(
        f": kept, as {reason}.*: remove it in OBS if you do not need it", capsys.readouterr().out
    )
    assert len(world.sources()) == 1


def test_a_dry_run_changes_nothing(world: World, silent: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert world.run("--dry-run", "--json") == 0
    assert world.sources() == {}
    assert world.items() == []
    assert json.loads(capsys.readouterr().out) == {
        "obs": "29.0.2",
        "websocket": "5.1.0",
        "at": f"127.0.0.1:{world.port}",
        "dry_run": True,
        "sources": [
            {
                "name": NAME,
                "changes": [
                    "Media Source added on top of scene 'stage', as large as the canvas (1280x720) allows"
                ],
                "kept": [],
            }
        ],
        "shows": {"url": URL, "running": False, "command": "stylize-live live --obs"},
    }


def test_a_name_that_is_taken(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    theirs = {"sceneName": SCENE, "inputName": NAME, "inputKind": "color_source_v3"}
    world.ask("CreateInput", **theirs, inputSettings={})
    assert world.run() == 5
    assert f"OBS has a source or scene '{NAME}' already that was not made by this" in capsys.readouterr().err
    assert world.run("--undo") == 0
    assert world.sources() == {NAME: "color_source_v3"}


def test_an_obs_without_pages(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """As Debian's is."""
    assert world.run("--page") == 5
    assert "this OBS has no Browser Source, as some systems' own packages" in capsys.readouterr().err
    assert world.sources() == {}


def test_the_page(fake: World, silent: None, capsys: pytest.CaptureFixture[str]) -> None:
    assert fake.fake is not None
    fake.fake.kinds.append("browser_source")
    assert main(["obs", "--port", str(fake.port), "--page"]) == 0
    assert fake.sources() == {"stylize-live page": "browser_source"}
    settings = fake.ask("GetInputSettings", inputName="stylize-live page")["inputSettings"]
    assert settings["url"] == "http://127.0.0.1:9720/bare"
    assert (settings["width"], settings["height"]) == CANVAS
    assert fake.place() == fit_to_canvas(CANVAS)
    assert "now start it: stylize-live studio\n" in capsys.readouterr().out
    assert fake.run("--page", "http://other:9720/bare?token=abc") == 0
    assert fake.run() == 0  # both, if that is wanted
    assert fake.sources().keys() == {"stylize-live page", NAME}
    assert fake.run("--undo") == 0
    assert fake.sources() == {}
    assert "page: removed" in capsys.readouterr().out


def test_a_stream_that_runs_already(fake: World, capsys: pytest.CaptureFixture[str]) -> None:
    with stream_server.StreamServer("0", (64, 48)) as server:
        port = server.url.rpartition(":")[2]
        assert fake.run("--stream", port, "--json") == 0
        shows = {"url": server.url, "running": True, "command": f"stylize-live live --obs --stream {port}"}
        assert json.loads(capsys.readouterr().out)["shows"] == shows
        fake.run("--stream", port)
        assert "\nwhat it shows is already running\n" in capsys.readouterr().out
    fake.run("--stream", port)
    assert f"\nnow start it: stylize-live live --obs --stream {port}\n" in capsys.readouterr().out


def test_a_group_is_a_scene_too(fake: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Where its user has put it into one, it is not added again."""
    assert fake.fake is not None
    fake.run()
    fake.fake.groups["together"] = fake.fake.scenes[SCENE]
    fake.fake.scenes[SCENE] = []
    assert fake.run() == 0
    assert fake.items() == []
    assert f"{NAME}: is set up already" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ("SetSceneItemTransform", {"code": 402, "comment": "too large"}),
        ("SetInputSettings", {"code": 205, "comment": "no"}),
    ],
)
def test_nothing_is_left_where_obs_refuses(
    request_: str, answer: dict[str, Any], fake: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert fake.fake is not None
    fake.fake.answers[request_] = answer
    assert fake.run() == 5
    assert f"error: OBS refuses {request_}: {answer['comment']}\n" in capsys.readouterr().err
    assert fake.sources() == {}


@pytest.mark.parametrize("request_", ["SetSceneItemTransform", "SetSceneItemEnabled", "SetInputSettings"])
def test_the_next_run_finishes_what_was_cut_off(request_: str, fake: World) -> None:
    assert fake.fake is not None
    fake.fake.answers[request_] = "hang up"
    assert fake.run() == 5
    assert fake.sources() == {NAME: "ffmpeg_source"}
    fake.fake.answers.clear()
    assert fake.run() == 0
    assert fake.place() == fit_to_canvas(CANVAS)
    assert fake.run("--undo") == 0
    assert fake.sources() == {}


LIVE = ["live", "--source", "test", "--no-window", "--width", "64", "--height", "48", "--duration", "0.3"]


def known_here(world: World, tmp_path: Path) -> None:
    """Write down where this OBS is, as OBS does."""
    folder = next(own_settings._folders())
    assert folder.is_relative_to(tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "global.ini").write_text(
        f"[OBSWebSocket]\nServerEnabled=true\nServerPort={world.port}\n"
        f"AuthRequired=true\nServerPassword={world.password}\n"
    )


def test_a_show_sets_it_up(
    world: World,
    tmp_path: Path,
    tiny_style: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """And `--obs` alone means a stream as well."""
    monkeypatch.setattr(stream_server, "USUAL_PORT", 0)
    known_here(world, tmp_path)
    assert main([*LIVE, "--obs", "--json", "--style", str(tiny_style), "--device", "cpu"]) == 0
    printed = capsys.readouterr()
    url = world.settings()["input"]
    assert re.fullmatch(r"tcp://127\.0\.0\.1:[1-9]\d+", url)
    assert world.settings() == make_media_source(url).settings
    assert f"{NAME}: shows {url}\n" in printed.err
    assert f"stream: {url} " in printed.err
    assert "stream" in json.loads(printed.out)["outputs"]


def test_a_show_that_cannot_set_it_up_does_not_begin(
    fake: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(Stylizer, "from_settings", lambda *_, **__: pytest.fail("the network was loaded"))
    known_here(World(fake.port, "", None), tmp_path)
    assert fake.fake is not None
    fake.fake.password = "changed"
    assert main([*LIVE, "--obs", "--stream", "0"]) == 5
    assert "OBS at 127.0.0.1" in capsys.readouterr().err
    assert fake.fake.inputs == {}


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("obs") is None or shutil.which("Xvfb") is None, reason="needs OBS and Xvfb")
def test_the_painted_image_comes_by_itself(nothing_known: None, real: World, tmp_path: Path) -> None:
    """Of one show and of the next; OBS alone may have given the stream up in between."""
    from latency import free_port
    from real_obs import shoot

    port = str(free_port())
    words = ["--source", "test", "--style", "starry-night", "--no-window", "--stream", port]
    command = [sys.executable, "-m", "stylize_live.cli.app", "live", *words]
    try:
        for number in range(2):
            show = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
            try:
                real.until(lambda: Served(f"tcp://127.0.0.1:{port}", "").is_there(), seconds=60)
                assert real.run("--stream", port) == 0
                real.until(lambda: is_painted(shoot(real.user, SCENE, (640, 360)).pixels), seconds=60)
                target = Path(os.environ.get("SCREENSHOTS", tmp_path)) / f"obs-{number}.png"
                target.unlink(missing_ok=True)
                write_image(target, Still(shoot(real.user, SCENE, CANVAS).pixels))
            finally:
                show.send_signal(signal.SIGINT)
                show.wait(20)
            # The last frame stays when a show ends; without it, it is seen whether the next one comes.
            real.ask("TriggerMediaInputAction", inputName=NAME, mediaAction=_STOP)
            real.until(lambda: not is_painted(shoot(real.user, SCENE, (640, 360)).pixels))
    finally:
        real.clear()


def is_painted(pixels: Pixels) -> bool:
    """Whether every corner of the canvas shows something: all of it is filled."""
    height, width = pixels.shape[:2]
    corners = [pixels[y : y + 40, x : x + 40] for y in (0, height - 40) for x in (0, width - 40)]
    return all(corner.std() > 2 or corner.mean() > 20 for corner in corners)
