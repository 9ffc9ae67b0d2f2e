"""The studio: a web server in a thread of its own beside a running session."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlencode

import uvicorn

from stylize_live.config import LiveSettings
from stylize_live.errors import OUT_OF_HANDLES, SinkError, StylizeError, describe_error
from stylize_live.frame import Frame
from stylize_live.lifecycle import Closeable
from stylize_live.live.hotkeys import KEYS
from stylize_live.live.session import LiveSession
from stylize_live.media.sources.webrtc import why_no_browser_camera
from stylize_live.naming import display_name
from stylize_live.rate_limited_log import RateLimitedFilter, RateLimitedLog
from stylize_live.studio.address import listen, own_address
from stylize_live.studio.app import make_app
from stylize_live.studio.cameras import PageCameras
from stylize_live.studio.connections import Connections, most_connections
from stylize_live.studio.control import Command
from stylize_live.studio.control_desk import ControlDesk
from stylize_live.studio.controls import describe_controls
from stylize_live.studio.guard import HEADERS, Rules
from stylize_live.studio.hub import Hub
from stylize_live.studio.messages import SIZES, Message
from stylize_live.studio.pending_requests import PendingRequests
from stylize_live.studio.protocols import HttpProtocol, WebSocketProtocol
from stylize_live.studio.saved_files import SavedFiles
from stylize_live.studio.sound import PERIOD, describe_choices, meter
from stylize_live.studio.sources import Names, Sources
from stylize_live.studio.telemetry import Telemetry
from stylize_live.studio.thumbnails import Paint, Thumbnails
from stylize_live.system.addresses import is_loopback
from stylize_live.system.clock import monotonic

log = logging.getLogger(__name__)
seldom = RateLimitedLog(log)

_START_SECONDS = 10.0
_JOIN_SECONDS = 3.0
# Connections that wait to be accepted: where there is no file handle left, asyncio complains of each.
_BACKLOG = 128
_MOST_BYTES = 16384  # of a request, and of a message; the offer of a camera is the longest by far
_MOST_MESSAGES = 256


@dataclass(frozen=True, slots=True)
class About:
    """What pages show of a session whose studio is opened.

    Attributes:
        engine: where and how it is painted, such as "cpu, bfloat16".
        styles: names that pages can choose; changed where it is when a painting comes or goes.
    """

    engine: str
    styles: list[str]


class Studio(Closeable):
    """Serves the page while it is open; the `Remote` of a session.

    Args:
        about: what pages show of it.
        sources: what pages choose from.
        settings: what the program was started with; presets build on them.
        paint: paints thumbnails; called in a thread of its own.
        host, port: where to listen; port 0 takes any free one.
        token: secret in the link; None makes one where other machines reach the address.

    Attributes:
        desk: what pages control the session with.
        url: link to the page.

    Raises:
        SinkError: the address or port cannot be had.
    """

    def __init__(
        self,
        about: About,
        sources: Sources,
        settings: LiveSettings,
        paint: Paint,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        token: str | None = None,
    ) -> None:
        if token is None and not is_loopback(host):
            token = secrets.token_urlsafe(16)
        most = most_connections()
        self._connections = Connections(most)
        self._socket = listen(host, port, _BACKLOG)
        self._rules = Rules(host, self._socket.getsockname()[1], token)
        self._messages: deque[Message] = deque(maxlen=_MOST_MESSAGES)
        self._telemetry = Telemetry()
        self._saved = SavedFiles(Path())  # where the session writes them
        self._shown: Frame | None = None
        self._state: dict[str, object] = {}
        self._meter: dict[str, object] | None = None
        self._meter_due = 0.0
        self._encoder = ThreadPoolExecutor(1, "stylize-studio-encode")
        self._loop = asyncio.new_event_loop()
        self._requests = PendingRequests(self._loop)
        self._hub = Hub(self._encoder, self._messages.append, PageCameras(sources.give))
        # The link is shown on pages that are let in already; OBS has no cookie, so it carries the token.
        bare = f"/bare?{urlencode({'token': token})}" if token else "/bare"
        wanted = {"width": settings.width, "height": settings.height, "fps": settings.fps}
        camera = wanted | {"missing": why_no_browser_camera()}
        keys = [asdict(key) for key in KEYS if key.on_page != "nobody"]
        given = [] if settings.size in SIZES else [settings.size]
        words: dict[str, object] = {"engine": about.engine, "bare": bare, "camera": camera, "keys": keys}
        words |= {"sizes": [*SIZES, *given], "resolutions": sources.resolutions}
        words |= {"sound": describe_choices()}
        words |= {"controls": describe_controls()}
        self._hub.say("sources", sources.names)
        self.desk = ControlDesk(
            about.styles, sources, settings, self._tell_sources, partial(self._call, "end_camera")
        )
        self.desk.refresh_devices()
        shelves = (self.desk.backgrounds, self.desk.paintings)
        words |= {"limits": {shelf.folder.name: shelf.most_bytes for shelf in shelves}}
        self._words = words
        self._told_styles = list(self.desk.styles)
        self._hub.say("about", self._describe())
        self._thumbnails = Thumbnails(about.styles, paint, lambda: self.watched, self._tell_thumbnails)
        self._server = uvicorn.Server(self._config())
        self._thread = threading.Thread(target=self._run, name="stylize-studio-server", daemon=True)
        self._thread.start()
        self._wait_until_open()

    def _config(self) -> uvicorn.Config:
        return uvicorn.Config(
            make_app(
                self._hub,
                self,
                self._thumbnail,
                self.desk.backgrounds,
                self.desk.paintings,
                self._saved,
                self._rules,
            ),
            http=cast("Any", partial(HttpProtocol, self._connections)),
            ws=cast("Any", partial(WebSocketProtocol, self._connections)),
            headers=list(HEADERS.items()),
            ws_max_size=_MOST_BYTES,
            ws_per_message_deflate=False,  # JPEGs do not get smaller
            backlog=_BACKLOG,
            h11_max_incomplete_event_size=_MOST_BYTES,
            proxy_headers=False,
            timeout_graceful_shutdown=1,
            lifespan="off",
            log_config=None,
            log_level=logging.ERROR,
            access_log=False,
            server_header=False,
        )

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._loop.set_exception_handler(self._trouble)
        # Uvicorn's own lines show where an error arose, for every request.
        filtered, its_log = RateLimitedFilter(), logging.getLogger("uvicorn.error")
        its_log.addFilter(filtered)
        try:
            self._loop.run_until_complete(self._server.serve([self._socket]))
        except Exception:
            log.exception("the studio's server ended")
        finally:
            self._loop.run_until_complete(self._hub.close())
            self._loop.run_until_complete(self._loop.shutdown_asyncgens())
            self._loop.run_until_complete(self._loop.shutdown_default_executor())
            self._loop.close()
            its_log.removeFilter(filtered)

    def _trouble(self, loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """Log an error that asyncio met outside of all requests, such as no file handle for a connection."""
        error = context.get("exception")
        if isinstance(error, OSError) and error.errno in OUT_OF_HANDLES:
            self._connections.make_room()
        seldom.warning(f"the studio's server: {context['message']}: %s", error, error=error)

    def _wait_until_open(self) -> None:
        end = monotonic() + _START_SECONDS
        while not self._server.started:
            if not self._thread.is_alive() or monotonic() > end:
                self.close()
                raise SinkError("the studio's server did not start: run again with --debug")
            time.sleep(0.005)

    @property
    def url(self) -> str:
        """Link to the page, with the token if there is one."""
        return self._link("/")

    @property
    def bare_url(self) -> str:
        """Link to the frame alone."""
        return self._link("/bare")

    def opening_url(self) -> str:
        """Link for a browser's command line, which other users of the machine can read: it works once."""
        return self._link("/", ticket=True)

    def _link(self, path: str, *, ticket: bool = False) -> str:
        host, token = self._rules.host, self._rules.token
        name = own_address() if host in ("0.0.0.0", "::") else host
        name = f"[{name}]" if ":" in name else name
        given = {} if not token else {"ticket": self._rules.tickets.issue()} if ticket else {"token": token}
        query = f"?{urlencode(given)}" if given else ""
        return f"http://{name}:{self._rules.port}{path}{query}"

    @property
    def styles(self) -> Sequence[str]:
        """Names that pages can choose."""
        return self.desk.styles

    shows = True  # see `Remote`

    @property
    def watched(self) -> bool:
        """Whether any page is open and can be seen."""
        return self._hub.watched

    def said(self, topic: str) -> object:
        """See `SessionControl`."""
        return self._hub.said(topic)

    async def carry_out(self, command: Command) -> None:
        """See `SessionControl`."""
        await self._requests.carry_out(command)

    def attend(self, session: LiveSession) -> None:
        """See `Remote.attend`."""
        self.desk.update_styles()
        while self._messages:
            try:
                self.desk.apply(self._messages.popleft(), session)
            except (StylizeError, OSError) as error:
                session.view.say(describe_error(error))
        self._requests.attend(lambda command: self.desk.carry_out(command, session))
        if self.watched and session.shown is not None and session.shown is not self._shown:
            self._shown = session.shown
            self._call("show", session.shown)
        if session.original is not None:
            self._thumbnails.offer(session.original)
        self._tell_styles()
        self.desk.exclude_own_camera(session)
        self._tell_state(session)
        self._requests.answer()
        now = monotonic()
        if self._telemetry.due(now):
            point = self._telemetry.add(session.figures(now), now)
            self._call("say", "figures", {"now": point, "history": list(self._telemetry.history)})
        self._tell_sound(session, now)

    def _tell_sound(self, session: LiveSession, now: float) -> None:
        if session.sound is None or now < self._meter_due:
            return
        self._meter_due = now + PERIOD
        words = meter(session.sound)
        if words != self._meter:
            self._meter = words
            self._call("say", "sound", {"now": words})

    def _tell_state(self, session: LiveSession) -> None:
        video = session.video
        self._saved.growing = None if video is None else video.name
        state = self.desk.state_of(session)
        if state != self._state:
            self._state = state
            self._call("say", "state", state)

    def _tell_styles(self) -> None:
        if self._told_styles == self.desk.styles:
            return
        self._told_styles = list(self.desk.styles)
        self._call("say", "about", self._describe())
        self._thumbnails.hurry()

    def _describe(self) -> dict[str, object]:
        """What pages show that changes seldom."""
        styles = self._told_styles
        names = {style: label_style(style) for style in styles}
        return {**self._words, "styles": styles, "names": names, "paintings": self.desk.paintings.styles}

    def _tell_sources(self, names: Names) -> None:
        self._call("say", "sources", names)

    def _tell_thumbnails(self, versions: dict[str, int]) -> None:
        self._call("say", "thumbnails", versions)

    def _thumbnail(self, index: int) -> bytes | None:
        styles = self.desk.styles
        return self._thumbnails.image(styles[index]) if 0 <= index < len(styles) else None

    def _call(self, method: str, *arguments: object) -> None:
        """Call a method of the hub in the server's thread."""
        try:
            self._loop.call_soon_threadsafe(getattr(self._hub, method), *arguments)
        except RuntimeError:  # the server has ended
            log.debug("nobody hears %s any more", method)

    def close(self) -> None:
        """Send the pages away and end every thread. May be called again."""
        self._server.should_exit = True
        self._thread.join(_JOIN_SECONDS)
        if self._thread.is_alive():
            log.warning("the studio's server did not stop in time")
        self._thumbnails.close()
        self._encoder.shutdown(wait=True, cancel_futures=True)
        self._socket.close()


def label_style(style: str) -> str:
    """A style's name for people: no folders, suffix or hyphens; Roman numbers stay large."""
    words = re.split(r"[-_ ]+", display_name(style))
    return " ".join(word.upper() if re.fullmatch("[ivx]+", word) else word.capitalize() for word in words)
