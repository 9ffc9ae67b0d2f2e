"""A real studio on loopback beside a show that inverts the test pattern, and pages that talk to it."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from live_fakes import FakeStylizer
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from stylize_live.config import LiveSettings
from stylize_live.live.pipeline import run_live
from stylize_live.live.session import Remote
from stylize_live.live.sound import LiveSound
from stylize_live.media.sinks.null_display import NullDisplay
from stylize_live.media.sinks.opening import sink_openers
from stylize_live.media.sources.live_source import LiveSource
from stylize_live.media.sources.opening import open_live_source
from stylize_live.remotes.group import RemoteGroup
from stylize_live.studio.control_desk import ControlDesk
from stylize_live.studio.server import About, Studio
from stylize_live.studio.sources import Sources

STYLES = ["first", "second", "third"]
SETTINGS = LiveSettings(source="test", width=64, height=36, fps=50)
_PATIENCE = 8.0


class FollowingStylizer(FakeStylizer):
    """Lets itself be followed."""

    followed_style = ""

    def follow(self, follower: object, styles: object = ()) -> None:
        """Changes nothing."""

    def make_movement_ready(self) -> bool:
        """Has nothing to make ready."""
        return False


class Show:
    """A studio whose show runs in a thread; `stylizer` remembers what it painted."""

    def __init__(self, studio: Studio, stylizer: FakeStylizer) -> None:
        self.studio = studio
        self.stylizer = stylizer
        self.report: Any = None

    @property
    def port(self) -> int:
        return int(self.studio.url.split(":")[2].split("/")[0])


@contextmanager
def running(
    settings: LiveSettings = SETTINGS,
    source: LiveSource | None = None,
    sound: LiveSound | None = None,
    beside: Callable[[ControlDesk], Sequence[Remote]] = lambda desk: (),
    **server: Any,
) -> Iterator[Show]:
    """A show for as long as the block lasts; its first source is `source` if it is given.

    With `sound`, its stylizer follows what that hears.

    What else controls it, `beside` gives; whoever opened that closes it.
    """
    sources = Sources(source or open_live_source(settings), settings)
    stylizer = FakeStylizer() if sound is None else FollowingStylizer()
    styles = list(STYLES)
    about = About("cpu, float32", styles)
    ended = threading.Event()

    class Display(NullDisplay):
        def poll(self) -> str | None:
            return "q" if ended.is_set() else None

    with (
        sources.switching as source,
        Studio(about, sources, settings, lambda style, pixels: 255 - pixels, **server) as studio,
    ):
        show = Show(studio, stylizer)
        remotes = beside(studio.desk)

        def run() -> None:
            show.report = run_live(
                source,
                stylizer,
                Display(watched=False),
                styles=styles,
                remote=RemoteGroup(studio.desk, [*remotes, studio]),
                openers=sink_openers(settings, source),
                sound=sound,
            )

        thread = threading.Thread(target=run, name="stylize-test-show")
        thread.start()
        try:
            yield show
        finally:
            ended.set()
            thread.join(10)


class Page:
    """What a page knows: the newest words on every topic, and the frames that came."""

    def __init__(self, line: ClientConnection) -> None:
        self._line = line
        self.words: dict[str, Any] = {}
        self.images: list[tuple[int, bytes]] = []

    def say(self, **message: Any) -> None:
        self._line.send(json.dumps(message))

    def set(self, **changes: Any) -> None:
        self.say(set=changes)

    def hear(self, *, answer: bool = True) -> None:
        """Take one message; frames are acknowledged if we `answer`."""
        message = self._line.recv(_PATIENCE)
        if isinstance(message, str):
            self.words |= json.loads(message)
            return
        number = int.from_bytes(message[:4], "big")
        self.images.append((number, message[4:]))
        if answer:
            self.say(ack=number)

    def until(self, true: Callable[[], object]) -> None:
        """Listen until something is true."""
        end = time.monotonic() + _PATIENCE
        while not true():
            assert time.monotonic() < end, f"never came true; last words: {self.words}"
            self.hear()

    def until_state(self, **wanted: Any) -> None:
        """Listen until the show's state has these values."""
        self.until(lambda: wanted.items() <= self.words.get("state", {}).items())

    def end(self) -> int | None:
        """Listen until the line is closed; its code."""
        try:
            while True:
                self.hear()
        except ConnectionClosed as closed:
            return closed.rcvd.code if closed.rcvd else None


@contextmanager
def page(port: int, query: str = "", **headers: str) -> Iterator[Page]:
    """A page that is open; its Origin is the studio's own unless told otherwise."""
    origin = headers.pop("Origin", f"http://127.0.0.1:{port}")
    host = headers.pop("Host", f"127.0.0.1:{port}")
    with connect(
        f"ws://{host}/live{query}",
        sock=socket.create_connection(("127.0.0.1", port), 10),
        origin=origin or None,  # type: ignore[arg-type]
        additional_headers=headers,
        proxy=None,
        close_timeout=1,
    ) as line:
        yield Page(line)


def get(port: int, path: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """Status, headers in lower case, and body."""
    line = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        line.request("GET", path, headers=headers)
        answer = line.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        line.close()
