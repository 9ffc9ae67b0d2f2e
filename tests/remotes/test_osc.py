"""OSC over real UDP on loopback: what can be sent, what is told, and what strangers cannot do."""

from __future__ import annotations

import logging
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from places import ROOT
from pythonosc.osc_bundle_builder import IMMEDIATELY, OscBundleBuilder
from pythonosc.osc_message import OscMessage
from pythonosc.osc_message_builder import OscMessageBuilder
from staged_show import SETTINGS, StagedShow, staged
from waiting import eventually

from stylize_live.errors import SinkError, UsageError
from stylize_live.rate_limited_log import RateLimitedLog
from stylize_live.remotes import osc_remote, osc_subscribers, osc_words
from stylize_live.remotes.inbox import Inbox
from stylize_live.remotes.osc_packets import read_packet
from stylize_live.remotes.osc_remote import OscRemote
from stylize_live.studio import controls
from stylize_live.studio.controls import list_controls
from stylize_live.studio.messages import SettingChanges
from stylize_live.studio.presets import save_preset


class Client:
    """A VJ program: sends to the show, and remembers the newest of what it hears, by address."""

    def __init__(self, port: int) -> None:
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.socket.settimeout(8)
        self.to = ("127.0.0.1", port)
        self.heard: dict[str, Any] = {}

    def send(self, address: str, *arguments: Any, types: str = "") -> None:
        message = OscMessageBuilder(address)
        for place, argument in enumerate(arguments):
            message.add_arg(argument, types[place] if types else None)
        self.socket.sendto(message.build().dgram, self.to)

    def until(self, **wanted: Any) -> None:
        """Listen until settings have these values."""
        names = {f"/stylize/{name.replace('_', '-')}": value for name, value in wanted.items()}
        self.listen_until(lambda: names.items() <= self.heard.items())

    def listen_until(self, true: Callable[[], bool]) -> None:
        """Listen until something is true of what was heard."""
        end = time.monotonic() + 8
        while not true():
            assert time.monotonic() < end, f"never came true; last heard: {self.heard}"
            self.hear()

    def hear(self) -> None:
        message = OscMessage(self.socket.recv(4096))
        (value,) = message.params
        self.heard[message.address] = round(value, 4) if isinstance(value, float) else value


@dataclass
class Stage:
    """A show with OSC, and a client that has subscribed."""

    show: StagedShow
    osc: OscRemote
    client: Client


@pytest.fixture
def stage(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.chdir(tmp_path)  # snapshots, recordings and presets go there
    with staged(lambda desk: OscRemote(desk, "0")) as (show, osc):
        client = Client(int(osc.address.split(":")[1]))
        try:
            client.send("/stylize/subscribe")
            client.until(strength=1.0)
            yield Stage(show, osc, client)
        finally:
            client.socket.close()


def insist(stage: Stage, strength: float) -> None:
    """Send until it comes through: in a flood, packets get lost."""

    def is_set() -> bool:
        stage.client.send("/stylize/strength", strength)
        return bool(stage.show.stylizer.strength == strength)

    eventually(is_set, "the strength", every=0.05)


# ------------------------------------------------------------------ what can be set


@pytest.mark.parametrize(
    ("address", "arguments", "types", "found"),
    [
        ("strength", [0.25], "f", {"strength": 0.25}),
        ("strength", [0.25], "d", {"strength": 0.25}),
        ("strength", [0], "i", {"strength": 0.0}),
        ("strength", ["-0.25"], "s", {"strength": 0.75}),
        ("strength", ["40%"], "s", {"strength": 0.4}),
        ("stroke", [3.5], "f", {"stroke": 3.5}),
        ("keep-colors", [True], "", {"keep_colors": 1}),
        ("keep_colors", [1], "i", {"keep_colors": 1}),
        ("mirror", [1.0], "f", {"mirror": 1}),
        ("mirror", [], "", {"mirror": 1}),
        ("mirror", ["toggle"], "s", {"mirror": 1}),
        ("freeze", [], "", {"frozen": 1}),
        ("style", ["second"], "s", {"style": "second"}),
        ("style", [3], "i", {"style": "third"}),
        ("style", [2.0], "f", {"style": "second"}),
        ("style", ["first:3,third:1"], "s", {"style": "first:1,third:0.333"}),
        ("next", [], "", {"style": "second"}),
        ("next", [1.0], "f", {"style": "second"}),
        ("previous", [True], "", {"style": "third"}),
        ("press", ["m"], "s", {"mirror": 1}),
        ("source", ["test"], "s", {"source": "test"}),
    ],
    ids=str,
)
def test_settings(
    stage: Stage, address: str, arguments: list[Any], types: str, found: dict[str, Any]
) -> None:
    stage.client.send(f"/stylize/{address}", *arguments, types=types)
    stage.client.until(**found)


def test_every_setting_has_an_address_and_is_told(stage: Stage) -> None:
    assert list_controls().keys() >= SettingChanges.model_fields.keys()
    wanted = {one.word for one in list_controls().values() if one.name in SettingChanges.model_fields}
    wanted |= {"record", "note", "fps", "latency"}
    stage.client.listen_until(lambda: {f"/stylize/{name}" for name in wanted} <= stage.client.heard.keys())


def test_buttons_that_are_let_go_do_nothing(stage: Stage) -> None:
    for value in (1, 0, 1.0, 0.0, True, False):
        stage.client.send("/stylize/next", value)
    stage.client.send("/stylize/strength", 0.5)
    stage.client.until(strength=0.5, style="first")  # three steps of three styles
    assert stage.show.stylizer.style == "first"


def test_a_recording_and_a_snapshot(stage: Stage, tmp_path: Path) -> None:
    eventually(lambda: stage.show.state["has_image"], "an image")
    stage.client.send("/stylize/record", 1)
    stage.client.until(record=1)
    stage.client.send("/stylize/record", 1)  # what is so already stays so
    stage.client.send("/stylize/snapshot")
    eventually(lambda: list(tmp_path.glob("*.png")), "a snapshot")
    stage.client.until(record=1)
    eventually(lambda: stage.show.state["recorded"], "a second of it")
    stage.client.send("/stylize/record", False)
    stage.client.until(record=0)
    eventually(lambda: list(tmp_path.glob("*.mp4")), "a recording")


def test_a_preset(stage: Stage, tmp_path: Path) -> None:
    save_preset(tmp_path / "calm.toml", SETTINGS, {"strength": 0.3, "style": "third"})
    stage.client.send("/stylize/preset", "calm")
    stage.client.until(strength=0.3, style="third")


def make_bundle(*messages: tuple[str, Any]) -> bytes:
    bundle = OscBundleBuilder(IMMEDIATELY)  # type: ignore[arg-type]
    for address, value in messages:
        message = OscMessageBuilder(address)
        message.add_arg(value)
        bundle.add_content(message.build())  # type: ignore[arg-type]
    return bytes(bundle.build().dgram)


def test_all_of_a_bundle_is_done(stage: Stage) -> None:
    bundle = make_bundle(("/stylize/strength", 0.2), ("/stylize/stroke", 2.0))
    stage.client.socket.sendto(bundle, stage.client.to)
    stage.client.until(strength=0.2, stroke=2.0)


def test_what_a_bundle_holds_for_others_stops_nothing(stage: Stage) -> None:
    """Programs send all their channels in one."""
    messages = (
        ("/stylize/strength", 0.2),
        ("/light/7", 1.0),
        ("/stylize/mirror", 0.5),
        ("/stylize/stroke", 2.0),
    )
    stage.client.socket.sendto(make_bundle(*messages), stage.client.to)
    stage.client.until(strength=0.2, stroke=2.0, error="mirror takes 0 or 1, got 0.5")


def test_a_bundle_holds_a_hundred_messages() -> None:
    messages = [("/stylize/strength", number / 100) for number in range(101)]
    assert len(read_packet(make_bundle(*messages[:100]))) == 100
    with pytest.raises(UsageError, match="more than 100 messages"):
        read_packet(make_bundle(*messages))


# ------------------------------------------------------------------ what is told


def test_get_answers_with_one_value_or_all(stage: Stage) -> None:
    other = Client(stage.client.to[1])
    try:
        other.send("/stylize/get", "strength")
        other.until(strength=1.0)
        assert list(other.heard) == ["/stylize/strength"]
        other.send("/stylize/get")
        other.until(style="first", mirror=0, virtual_camera=0)
    finally:
        other.socket.close()


def test_subscribers_hear_of_what_others_change_at_another_port(stage: Stage) -> None:
    listener = Client(stage.client.to[1])
    try:
        stage.client.send("/stylize/subscribe", listener.socket.getsockname()[1])
        listener.until(strength=1.0)
        stage.client.send("/stylize/strength", 0.125)
        listener.until(strength=0.125)
        stage.client.send("/stylize/unsubscribe", listener.socket.getsockname()[1])
        stage.client.send("/stylize/strength", 0.5)
        stage.client.until(strength=0.5)
        listener.socket.setblocking(False)
        with suppress(BlockingIOError):  # what was under way is still heard
            while True:
                listener.hear()
        assert listener.heard["/stylize/strength"] == 0.125
    finally:
        listener.socket.close()


def test_packets_that_get_lost_come_again(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.client.heard.clear()
    monkeypatch.setattr(osc_subscribers, "_AGAIN_SECONDS", 0.1)
    stage.client.until(strength=1.0, mirror=0)


def test_a_background_that_is_not_offered_is_told_where_it_belongs(stage: Stage) -> None:
    stage.client.send("/stylize/background", "beach.jpg")
    wanted = "no background 'beach.jpg' is offered here: put images and videos into the folder backgrounds"
    stage.client.until(error=f"background: {wanted}")


@pytest.mark.parametrize("name", ["background", "background_style"])
def test_no_address_promises_files_that_it_refuses(name: str) -> None:
    """Of the command line, which takes any file, the words are others."""
    words = list_controls()[name].does
    assert "name" in words
    assert " file" not in words


def test_errors_are_told_to_who_made_them(stage: Stage) -> None:
    stage.client.send("/stylize/style", "fourth")
    stage.client.until(error="style: no style 'fourth' is offered here")
    stage.client.send("/stylize/strength", 7.0)
    wanted = "expected a number from 0 to 1, or a step such as +0.1"
    stage.client.until(error=f"strength: strength: {wanted}, got 7.0")
    stage.client.send("/stylize/strenth", 0.5)
    stage.client.until(error="no address '/stylize/strenth'; did you mean /stylize/strength?")
    stage.client.send("/stylize/mirror", 5)
    stage.client.until(error="mirror takes 0 or 1, got 5")
    stage.client.socket.sendto(b"GET / HTTP/1.1", stage.client.to)
    stage.client.until(error="neither a message nor a bundle of messages")


def test_names_that_are_no_text_are_told_as_far_as_they_are() -> None:
    """Such as a note about a recording whose name has bytes of an old encoding."""
    message = OscMessage(osc_subscribers.message_about("note", "caf\udce9.mp4 broke"))
    assert message.params == ["caf?.mp4 broke"]


# ------------------------------------------------------------------ what strangers cannot do


@pytest.mark.parametrize(
    "packet",
    [
        *(b"", b"x", b"/", b"/stylize/strength", b"\0" * 64, b"#bundle\0", b"GET / HTTP/1.1\r\n\r\n"),
        b"#bundle\0" + bytes(8) + struct.pack(">i", -4),
        b"#bundle\0" + bytes(8) + struct.pack(">i", 1 << 30) + b"/x\0\0",
        b"#bundle\0" + bytes(8) + (struct.pack(">i", 8) + b"/a\0\0,\0\0\0") * 101,
        b"#bundle\0" + bytes(8) + struct.pack(">i", 16) + b"#bundle\0" + bytes(8),  # one in another
        b"/stylize/strength\0\0\0,f\0\0\0",  # the number is missing
        b"/stylize/strength\0\0\0,b\0\0" + struct.pack(">i", 1 << 30),
        b"/stylize/strength\0\0\0,[f]\0\0\0\0" + struct.pack(">f", 0.5),
        b"/stylize/strength\0\0\0,f\0\0" + struct.pack(">f", float("nan")),
        b"/stylize/strength\0\0\0,T\0\0",
        b"/stylize/mirror\0,f\0\0" + struct.pack(">f", 0.5),
        b"/stylize/mirror\0,ii\0" + bytes(8),
        b"/stylize/style\0\0,f\0\0" + struct.pack(">f", 1.5),
        b"/stylize/\xff\xfe\0,\0\0\0",
        b"/other/strength\0,f\0\0" + struct.pack(">f", 0.5),
        b"/stylize/subscribe\0\0,s\0\0here\0\0\0\0",
        b"/stylize/subscribe\0\0,i\0\0" + struct.pack(">i", 99999),
        b"/stylize/press\0\0,s\0\0q\0\0\0",
        b"/stylize/press\0\0,s\0\0escape\0\0",
        b"/" + b"a" * 9000,
    ],
    ids=lambda packet: repr(packet[:32]),
)
def test_nonsense_changes_nothing(stage: Stage, packet: bytes) -> None:
    before = {name: stage.show.state[name] for name in SettingChanges.model_fields}
    stage.client.socket.sendto(packet, stage.client.to)
    stage.client.send("/stylize/stroke", 2.0)
    stage.client.until(stroke=2.0)
    wanted = before | {"stroke": 2.0}
    eventually(lambda: {name: stage.show.state[name] for name in wanted} == wanted, "nothing else")


def test_a_thousand_mistakes_are_one_line(
    stage: Stage, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(osc_remote, "seldom", RateLimitedLog(osc_remote.log))
    with caplog.at_level(logging.INFO):
        for number in range(1000):
            stage.client.send(f"/stylize/{number}", number)
        insist(stage, 0.5)
    assert [record.name for record in caplog.records] == ["stylize_live.remotes.osc_remote"]


def test_a_flood_does_not_stall_the_show(stage: Stage) -> None:
    """Tens of thousands of values, sent as fast as can be: frames go on, and the last value counts."""
    ending = threading.Event()

    def flood() -> None:
        while not ending.is_set():
            for step in range(100):
                stage.client.send("/stylize/strength", step / 100)
                stage.client.send("/stylize/mirror")

    thread = threading.Thread(target=flood)
    thread.start()
    try:
        painted = len(stage.show.stylizer.painted)
        eventually(lambda: len(stage.show.stylizer.painted) > painted + 25, "frames go on")
    finally:
        ending.set()
        thread.join()
    eventually(lambda: not stage.osc._inbox.take(100), "the flood is over")
    insist(stage, 0.625)


def test_of_values_that_come_at_once_the_last_one_counts() -> None:
    inbox: Inbox[str] = Inbox(3)
    for item, key in (("strength 0", "strength"), ("next", None), ("strength 1", "strength"), ("next", None)):
        assert inbox.put(item, key)
    assert not inbox.put("mirror")
    assert inbox.take(2) == ["next", "strength 1"]
    assert inbox.take(9) == ["next"]
    assert inbox.take(9) == []


@pytest.mark.parametrize(
    "arguments", [["10.0.0.1"], [9000, 9001], [True], [0], [65536], ["10.0.0.1", 9000], [0.5]]
)
def test_answers_go_to_no_other_machine(arguments: list[object]) -> None:
    assert osc_remote._reply_address(("192.0.2.7", 5000), arguments) is None
    assert osc_remote._reply_address(("192.0.2.7", 5000), [9000]) == ("192.0.2.7", 9000)
    assert osc_remote._reply_address(("192.0.2.7", 5000), []) == ("192.0.2.7", 5000)


def test_the_page_for_people_has_every_address() -> None:
    """Its table is made of the same definitions: these are the lines that it should have."""
    text = (ROOT / "docs" / "stage.md").read_text("utf-8")
    lines = [f"| `{one.address}` | {one.takes} | {one.does} |" for one in list_controls().values()]
    assert [line for line in lines if line not in text] == []
    assert all(
        f"`/stylize/{name}`" in text for name in ("get", "subscribe", "unsubscribe", "error", "fps", "note")
    )


def test_no_more_than_eight_subscribe(stage: Stage) -> None:
    for port in range(20000, 20020):
        stage.client.send("/stylize/subscribe", port)
    stage.client.send("/stylize/strength", 0.5)
    stage.client.until(strength=0.5)
    assert len(stage.osc._subscribers) == 8


def test_who_is_silent_for_an_hour_is_forgotten() -> None:
    subscribers = osc_subscribers.Subscribers()
    subscribers.add(("10.0.0.1", 9), 0)
    subscribers.add(("10.0.0.2", 9), 0)
    subscribers.hear_from("10.0.0.1", 3000)
    subscribers.forget_silent(4000)
    assert subscribers.on("10.0.0.1") == [("10.0.0.1", 9)]
    assert not subscribers.on("10.0.0.2")


def test_a_port_that_is_taken(stage: Stage) -> None:
    taken = stage.osc.address
    with pytest.raises(SinkError, match=f"cannot take OSC at {taken}: .*try another port"):
        OscRemote(stage.show.desk, taken)
    with pytest.raises(UsageError, match="'nowhere' is not a valid address for osc"):
        OscRemote(stage.show.desk, "nowhere")


def test_only_this_machine_is_heard_unless_told_otherwise(stage: Stage) -> None:
    assert not stage.osc.is_open
    assert stage.osc._socket.getsockname()[0] == "127.0.0.1"
    assert osc_remote.parse_endpoint("9000", "osc", 9730) == ("127.0.0.1", 9000)
    with OscRemote(stage.show.desk, "0.0.0.0:0") as everywhere:
        assert everywhere.is_open


def test_a_choice_takes_words_and_numbers() -> None:
    """An option that is one of several words, as soon as there is one."""
    paint = controls._setting("paint", {"enum": ["both", "person"], "type": "string"})
    assert (paint.kind, paint.takes) == ("choice", "both, person, or a number from 1")
    assert osc_words._checked(paint, "person") == osc_words._checked(paint, 2) == "person"
    with pytest.raises(UsageError, match="paint has the choices 1 to 2, got 3"):
        osc_words._checked(paint, 3)


def test_packets_of_old_senders() -> None:
    assert read_packet(b"/stylize/next\0\0\0") == [("/stylize/next", [])]
    assert read_packet(b"/a\0\0,iNTsI\0\0" + struct.pack(">i", 3) + b"x\0\0\0") == [("/a", [3, True, "x"])]
