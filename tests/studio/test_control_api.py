"""The control API over real HTTP on loopback: what programs can do, what they are told, and who is let in."""

from __future__ import annotations

import http.client
import json
import re
import shlex
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from places import ROOT
from studio_show import SETTINGS, Page, Show, get, page, running
from waiting import eventually
from websockets.exceptions import InvalidStatus

from stylize_live.studio import api
from stylize_live.studio.control import State
from stylize_live.studio.messages import SettingChanges
from stylize_live.studio.presets import save_preset
from stylize_live.studio.tickets import Tickets

TOKEN = "a long & secret"


@pytest.fixture
def show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Show]:
    monkeypatch.chdir(tmp_path)  # snapshots, recordings and presets go there
    with running() as found:
        yield found


@pytest.fixture
def secret(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Show]:
    monkeypatch.chdir(tmp_path)
    with running(token=TOKEN) as found:
        yield found


def ask(
    show: Show, method: str, path: str, body: object = None, **headers: str
) -> tuple[int, dict[str, Any]]:
    """Status and the answer, which is always JSON."""
    line = http.client.HTTPConnection("127.0.0.1", show.port, timeout=10)
    sent = body if isinstance(body, str | bytes | None) else json.dumps(body)
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    try:
        line.request(method, path, sent, names)
        answer = line.getresponse()
        assert answer.getheader("content-type") == "application/json"
        text = answer.read()
        return answer.status, json.loads(text) if method != "HEAD" else {}
    finally:
        line.close()


def post(show: Show, path: str, body: object = None, **headers: str) -> tuple[int, dict[str, Any]]:
    return ask(show, "POST", path, body, **headers)


def until(show: Show, true: Callable[[State], object]) -> State:
    """Ask for the status until something is true of it."""

    def is_so() -> State | None:
        status, found = ask(show, "GET", "/api/status", Authorization=f"Bearer {TOKEN}")
        assert status in (200, 503)
        return found if status == 200 and true(found) else None

    found = eventually(is_so, "what the status is asked for")
    assert found is not None
    return found


# ------------------------------------------------------------------ what is told


def test_status_tells_everything(show: Show) -> None:
    with page(show.port) as watching:
        watching.until(lambda: len(watching.images) > 5)
        found = until(show, lambda status: status["fps"])
    assert found["style"] == {"first": 1.0}
    assert (found["strength"], found["boldness"], found["frozen"]) == (1.0, 1.0, False)
    assert found["image"] == [64, 36]
    assert found["recorded"] is None
    assert found["latency_ms"].keys() == {"p50", "p95", "p99"}
    assert found["latency_ms"]["p50"] > 0
    assert (found["source"], found["sources"]["test"]) == ("test", "Test pattern")
    assert found["stream"] == {"on": False, "opening": False, "error": "", "place": ""}
    assert ask(show, "HEAD", "/api/status")[0] == 200


def test_styles_are_listed_by_their_numbers(show: Show) -> None:
    status, found = ask(show, "GET", "/api/styles")
    assert status == 200
    assert found[1] == {  # type: ignore[comparison-overlap]
        "number": 2,
        "name": "second",
        "label": "Second",
        "chosen": False,
        "thumbnail": "/thumbnails/1.jpg",
    }
    until(show, lambda status: status)
    assert [style["chosen"] for style in ask(show, "GET", "/api/styles")[1]] == [True, False, False]  # type: ignore[index]


# ------------------------------------------------------------------ what can be set


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ({"strength": 0.25}, {"strength": 0.25}),
        ({"strength": "-0.25"}, {"strength": 0.75}),
        ({"strength": "-0.25", "stroke": "+0.5"}, {"strength": 0.75, "stroke": 1.5}),
        ({"strength": "40%"}, {"strength": 0.4}),
        ({"strength": "-30%"}, {"strength": 0.7}),
        ({"strength": "+5"}, {"strength": 1.0}),
        ({"boldness": "-9"}, {"boldness": 0.0}),
        ({"mirror": "toggle", "split": True, "keep-colors": "on"}, {"mirror": True, "keep_colors": True}),
        ({"frozen": "on"}, {"frozen": True}),
        ({"freeze": "toggle"}, {"frozen": True}),
        ({"style": "second"}, {"style": {"second": 1.0}}),
        ({"style": "3"}, {"style": {"third": 1.0}}),
        ({"style": 2}, {"style": {"second": 1.0}}),
        ({"style": "first:3,third:1"}, {"style": {"first": 1.0, "third": 0.333}}),
        ({"style": {"first": 0.3, "second": 0.7}}, {"style": {"first": 0.3, "second": 0.7}}),
        ({"source": "test"}, {"source": "test"}),
        ({"microphone": ""}, {"microphone": ""}),
    ],
    ids=str,
)
def test_settings(show: Show, asked: dict[str, object], found: dict[str, object]) -> None:
    status, answer = post(show, "/api/set", asked)
    assert (status, answer.get("error")) == (200, None)
    assert found.items() <= answer.items()
    assert found.items() <= until(show, lambda status: status).items()


def test_every_setting_of_a_page_is_one_of_the_api() -> None:
    """One definition: what `Changes` has can be set, and its present value is told by the same name."""
    text = (ROOT / "docs" / "control.md").read_text("utf-8")
    with running() as show:
        told = until(show, lambda status: status)
    assert told.keys() >= SettingChanges.model_fields.keys()
    assert [name for name in SettingChanges.model_fields if f"`{name}`" not in text] == []


def test_all_that_is_told_is_documented(show: Show) -> None:
    text = (ROOT / "docs" / "control.md").read_text("utf-8")
    of_pages = {"no_source", "no_camera", "no_microphones"}
    told = until(show, lambda status: status).keys() - of_pages
    assert [name for name in told if f"`{name}`" not in text] == []


def test_settings_in_the_address(show: Show) -> None:
    status, answer = post(show, "/api/set?strength=-0.3&mirror=on&style=second")
    assert (status, answer["strength"], answer["mirror"], answer["style"]) == (200, 0.7, True, {"second": 1})
    assert post(show, "/api/set?strength=+0.1")[1]["strength"] == 0.8  # a plus sign means a space there
    assert post(show, "/api/set?strength=%2B0.1")[1]["strength"] == 0.9


def test_steps_add_up_however_many_come_at_once(show: Show) -> None:
    post(show, "/api/set", {"strength": 0})
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: post(show, "/api/set", {"strength": "+0.05"})[0], range(16)))
    assert answers == [200] * 16
    assert until(show, lambda status: status)["strength"] == 0.8


def test_it_shows_on_pages(show: Show) -> None:
    with page(show.port) as open_page:
        open_page.until_state(mirror=False)
        post(show, "/api/mirror/on")
        open_page.until_state(mirror=True)


def test_styles_by_name_and_one_after_the_other(show: Show) -> None:
    assert post(show, "/api/style/third")[1]["style"] == {"third": 1.0}
    assert post(show, "/api/style/next")[1]["style"] == {"first": 1.0}
    assert post(show, "/api/style/previous")[1]["style"] == {"third": 1.0}
    assert post(show, "/api/style/2")[1]["style"] == {"second": 1.0}


def test_switches(show: Show) -> None:
    for name, setting in {
        "freeze": "frozen",
        "mirror": "mirror",
        "split": "split",
        "keep-colors": "keep_colors",
    }.items():
        assert post(show, f"/api/{name}")[1][setting] is True
        assert post(show, f"/api/{name}/toggle")[1][setting] is False
        assert post(show, f"/api/{name}/on")[1][setting] is True
        assert post(show, f"/api/{name}/on")[1][setting] is True
        assert post(show, f"/api/{name}/off")[1][setting] is False


def test_keys_of_the_show(show: Show) -> None:
    assert post(show, f"/api/press/{quote('[')}")[1]["strength"] == 0.9
    assert post(show, "/api/press/m")[1]["mirror"] is True
    status, answer = post(show, "/api/press/q")  # nobody ends the show from elsewhere
    assert (status, "no key 'q'" in answer["error"]) == (404, True)


def test_snapshot_and_recording(show: Show, tmp_path: Path) -> None:
    with page(show.port) as watching:
        watching.until(lambda: watching.images)
        assert post(show, "/api/snapshot")[0] == 200
        until(show, lambda status: status["saved"] == 1)
        assert len(list(tmp_path.glob("first-*.png"))) == 1
        answer = post(show, "/api/record/start")[1]
        assert (answer["recorded"], answer["video"][:6]) == (0, "first-")
        assert post(show, "/api/record/start")[1]["video"] == answer["video"]  # it is so already
        more_images(watching)
        assert post(show, "/api/record/stop")[1]["recorded"] is None
        assert post(show, "/api/record/stop")[0] == 200
        assert post(show, "/api/record")[1]["recorded"] == 0
        more_images(watching)
        assert post(show, "/api/record/toggle")[1]["recorded"] is None
        assert until(show, lambda status: status["saved"] == 3)
    assert len(list(tmp_path.glob("first-*.mp4"))) == 2


def more_images(watching: Page) -> None:
    seen = len(watching.images)
    watching.until(lambda: len(watching.images) > seen + 4)


def test_presets(show: Show, tmp_path: Path) -> None:
    save_preset(tmp_path / "my evening.toml", SETTINGS, {"strength": 0.5, "style": "second"})
    status, answer = post(show, "/api/preset/my%20evening")
    assert (status, answer["strength"], answer["style"]) == (200, 0.5, {"second": 1.0})
    for name in ("nothing", "..%2Fx", ".hidden"):
        assert post(show, f"/api/preset/{name}")[0] == 404


def examples() -> list[list[str]]:
    """The words of every curl command in the docs, but of the one that brings a file."""
    text = (ROOT / "docs" / "control.md").read_text("utf-8")
    return [shlex.split(line) for line in text.splitlines() if re.match("curl (?!.*@)", line)]


@pytest.mark.parametrize("words", examples(), ids=lambda words: words[-1])
def test_the_examples_of_the_docs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    monkeypatch.chdir(tmp_path)
    given = dict(pairwise(words))
    url = next(word for word in words if word.startswith("http"))
    secret = "my-long-secret" in " ".join(words)
    with running(token="my-long-secret" if secret else None) as show, ExitStack() as opened:
        cookie = {}
        if secret:
            cookie["Cookie"] = get(show.port, "/?token=my-long-secret")[1]["set-cookie"].split(";")[0]
        watching = opened.enter_context(page(show.port, **cookie))
        watching.until(lambda: watching.images)
        path = url.removeprefix("http://127.0.0.1:9720").replace("great-wave", "second")
        headers = dict([given["-H"].split(": ", 1)]) if "-H" in given else {}
        status, answer = ask(show, given.get("-X", "GET"), path, given.get("-d"), **headers)
        assert (status, list(answer)) == (404, ["error"]) if "bolness" in str(words) else status == 200
        if "bolness" not in str(words):
            assert answer["image"] == [64, 36]


# ------------------------------------------------------------------ what is wrong, in one line


@pytest.mark.parametrize(
    ("path", "body", "status", "words"),
    [
        ("/api/set", None, 400, "nothing to set; settings are background, "),
        ("/api/set", "no json", 400, 'the body is not a JSON object such as {"boldness": "+0.1"}'),
        ("/api/set", "[1]", 400, "the body is not a JSON object"),
        ("/api/set", "[" * 5000, 400, "the body is not a JSON object"),
        ("/api/set", "1" * 5000, 400, "the body is not a JSON object"),
        ("/api/set", b"\xff\xfe\x00", 400, "the body is not a JSON object"),
        ("/api/set", " " * 20000, 413, "more than 16384 bytes"),
        ("/api/set", {"bolness": 1}, 404, "no setting 'bolness'; did you mean 'boldness'?"),
        ("/api/set", {"sound_styles": "first,forth"}, 404, "no style 'forth' is offered here"),
        ("/api/set", {"strength": 2}, 400, "strength: expected a number from 0 to 1, or a step such as +0.1"),
        ("/api/set", {"strength": "loud"}, 400, "strength: expected a number from 0 to 1"),
        ("/api/set", {"strength": "+nan"}, 400, "strength: expected a number from 0 to 1"),
        ("/api/set", {"strength": "inf"}, 400, "strength: expected a number from 0 to 1"),
        ("/api/set", {"strength": [1]}, 400, "strength: expected a number from 0 to 1"),
        ("/api/set", {"mirror": "perhaps"}, 400, "mirror: expected on, off or toggle, got 'perhaps'"),
        ("/api/set", {"size": "10p"}, 400, "size: expected auto, or 64p to 2160p, got '10p'"),
        ("/api/set", {"size": "1p"}, 400, "size: expected auto, or 64p to 2160p, got '1p'"),
        ("/api/set", {"style": "secnd"}, 404, "no style 'secnd' is offered here; did you mean 'second'?"),
        ("/api/set", {"style": "/etc/passwd"}, 404, "no style '/etc/passwd' is offered here"),
        ("/api/set", {"style": {"first": "x"}}, 400, "style: "),
        ("/api/set", {"style": "first,second,third"}, 400, "style: "),
        ("/api/set", {"source": "/etc/passwd"}, 404, "no source '/etc/passwd' is offered here; there is "),
        ("/api/set", {"resolution": "9x9"}, 404, "no resolution '9x9' is offered here; there is '64x36', "),
        ("/api/set", {"microphone": "7"}, 404, "no microphone '7' is offered here"),
        ("/api/set", {"\0": "\0"}, 404, "no setting "),
        ("/api/style/nothing", None, 404, "no style 'nothing' is offered here"),
        ("/api/record/now", None, 404, "record takes start, stop or toggle, got 'now'"),
        ("/api/freeze/now", None, 404, "freeze takes on, off or toggle, got 'now'"),
        ("/api/strength", None, 404, "there is no such address; see docs/control.md"),
        ("/api/", None, 404, "there is no such address"),
        ("/api/snapshot", None, 409, "there is no painted frame yet: nobody watches, or the source"),
        ("/api/record/start", None, 409, "there is no painted frame yet"),
        ("/api/status", None, 405, "/api/status is read with GET"),
    ],
    ids=str,
)
def test_what_is_wrong_is_said_in_one_line(
    show: Show, path: str, body: object, status: int, words: str
) -> None:
    until(show, lambda status: status)
    before = ask(show, "GET", "/api/status")[1]
    found, answer = post(show, path, body)
    assert (found, list(answer)) == (status, ["error"])
    assert words in answer["error"]
    assert "\n" not in answer["error"]
    assert len(answer["error"]) < 400
    after = ask(show, "GET", "/api/status")[1]
    for name in SettingChanges.model_fields:
        assert after[name] == before[name]


def test_all_or_nothing(show: Show) -> None:
    assert post(show, "/api/set", {"strength": 0.5, "mirror": "on", "boldness": 7})[0] == 400
    found = until(show, lambda status: status)
    assert (found["strength"], found["mirror"]) == (1.0, False)


def test_a_recording_that_cannot_be_is_an_error(show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("stylize_live.live.recordings.open_recorder", full)
    with page(show.port) as watching:
        watching.until(lambda: watching.images)
        status, answer = post(show, "/api/record/start")
    assert (status, answer) == (409, {"error": "no recording: No space left on device"})


def test_a_show_that_is_held_up_is_an_error_and_does_nothing_later(
    show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    until(show, lambda status: status)
    monkeypatch.setattr(api, "_SECONDS", 0.05)
    attend = show.studio.attend
    held = {"up": True}
    monkeypatch.setattr(show.studio, "attend", lambda running: None if held["up"] else attend(running))
    assert post(show, "/api/mirror/on")[0] == 503
    held["up"] = False
    monkeypatch.setattr(api, "_SECONDS", 5)
    assert post(show, "/api/split/on")[1]["mirror"] is False


# ------------------------------------------------------------------ who is let in


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS"])
def test_only_post_changes_anything_without_the_token(show: Show, method: str) -> None:
    """Any page can have a browser send GET, from an image or a link, and no Origin goes with it."""
    status, answer = ask(show, method, "/api/mirror/on")
    assert status == 405
    assert method == "HEAD" or "takes POST" in answer["error"]
    assert until(show, lambda status: status)["mirror"] is False


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://127.0.0.1:1"},
        {"Host": "evil.example"},
        {"Sec_Fetch_Site": "cross-site"},
        {"Sec_Fetch_Site": "same-site"},
    ],
    ids=str,
)
def test_a_page_from_elsewhere_steers_nothing(show: Show, headers: dict[str, str]) -> None:
    status, answer = post(show, "/api/mirror/on", **headers)
    assert (status, list(answer)) == (403, ["error"])
    assert ask(show, "GET", "/api/status", **headers)[0] == 403
    assert until(show, lambda status: status)["mirror"] is False


def test_with_a_token_each_request_carries_it(secret: Show) -> None:
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    query = f"token={quote(TOKEN)}"
    for wrong in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": TOKEN}):
        status, answer = post(secret, "/api/mirror/on", **wrong)
        assert (status, answer["error"][:28]) == (401, "The token is missing or wron")
        assert ask(secret, "GET", "/api/status?token=wrong", **wrong)[0] == 401
    assert until(secret, lambda status: status)["mirror"] is False
    assert post(secret, "/api/mirror/on", **bearer)[1]["mirror"] is True
    assert post(secret, "/api/mirror/off", Authorization=f"bearer {TOKEN}")[1]["mirror"] is False
    assert post(secret, f"/api/mirror/on?{query}")[1]["mirror"] is True
    assert post(secret, f"/api/set?{query}&strength=-0.5")[1]["strength"] == 0.5


def test_get_changes_only_what_the_token_came_with(secret: Show) -> None:
    query = f"token={quote(TOKEN)}"
    assert ask(secret, "GET", f"/api/mirror/on?{query}")[1]["mirror"] is True
    assert ask(secret, "HEAD", f"/api/mirror/off?{query}")[0] == 405
    # A browser's cookie goes with a link on any page: it is not enough.
    cookie = get(secret.port, f"/?{query}")[1]["set-cookie"].split(";")[0]
    assert ask(secret, "GET", "/api/status", Cookie=cookie)[1]["mirror"] is True
    assert ask(secret, "GET", "/api/mirror/off", Cookie=cookie)[0] == 405
    own = f"http://127.0.0.1:{secret.port}"
    assert post(secret, "/api/mirror/off", Cookie=cookie, Origin="http://evil.example")[0] == 403
    assert post(secret, "/api/mirror/off", Cookie=cookie, Origin=own)[1]["mirror"] is False


def test_whoever_knows_the_token_may_come_from_anywhere(secret: Show) -> None:
    """Programs made of web pages send an Origin of their own; a name that was pointed here is refused."""
    bearer = f"Bearer {TOKEN}"
    assert post(secret, "/api/mirror/on", Authorization=bearer, Origin="null")[0] == 200
    assert post(secret, "/api/mirror/on", Authorization=bearer, Host="evil.example")[0] == 403


def test_a_script_opens_the_websocket_with_the_token(secret: Show) -> None:
    with page(secret.port, Origin="", Authorization=f"Bearer {TOKEN}") as line:
        line.set(mirror=True)
        line.until_state(mirror=True)
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        with pytest.raises(InvalidStatus, match="403"), page(secret.port, Origin="", **headers):
            pass


def test_a_ticket_opens_the_page_once(secret: Show) -> None:
    assert TOKEN not in secret.studio.opening_url()
    path = "/" + secret.studio.opening_url().split("/", 3)[3]
    status, headers, _ = get(secret.port, path)
    assert (status, headers["location"]) == (303, "/")
    cookie = headers["set-cookie"].split(";")[0]
    assert get(secret.port, "/", Cookie=cookie)[0] == 200
    status, headers, body = get(secret.port, path)
    assert (status, b"once, for a minute" in body) == (401, True)
    assert "set-cookie" not in headers
    assert get(secret.port, "/?ticket=guessed")[0] == 401
    other = "/api/status?" + secret.studio.opening_url().split("?")[1]
    assert get(secret.port, other)[0] == 401  # it is for the page alone


def test_a_ticket_is_old_after_a_minute() -> None:
    now = [0.0]
    tickets = Tickets(lambda: now[0])
    one, other = tickets.issue(), tickets.issue()
    assert len(one) >= 20
    now[0] = 59.0
    assert tickets.redeem(one)
    assert not tickets.redeem(one)
    now[0] = 61.0
    assert not tickets.redeem(other)


def test_without_a_token_there_is_no_ticket(show: Show) -> None:
    assert show.studio.opening_url() == show.studio.url
