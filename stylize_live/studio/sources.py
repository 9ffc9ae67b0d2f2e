"""The sources that pages can choose: cameras, the screen, the test pattern, and what we began with."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from stylize_live.config import LiveSettings
from stylize_live.errors import SourceError, describe_error
from stylize_live.media.libraries import av
from stylize_live.media.sources.devices import Camera, list_cameras
from stylize_live.media.sources.live_source import LiveSource
from stylize_live.media.sources.no_source import NoSource
from stylize_live.media.sources.opening import names_camera, open_live_source
from stylize_live.media.sources.switching import SourceChoice, SwitchingSource
from stylize_live.media.sources.webrtc import BrowserSource
from stylize_live.rate_limited_log import RateLimitedLog

log = RateLimitedLog(logging.getLogger(__name__))

Names = dict[str, str]

BROWSER = "browser"  # key of a page's own camera
_OWN_KEYS = ("test", BROWSER)
_RESOLUTIONS = ("640x360", "640x480", "960x540", "1280x720", "1920x1080")
_GIVEN = "given"  # key of the source we began with: its path or address is not for every page to read


class Sources:
    """Pages choose by key and from this list alone: no page names a file or an address.

    Args:
        source: is open, and what `settings.source` names; closed by whoever closes `switching`.
        settings: for everything else that a source is asked for.

    Attributes:
        ours: name or path of the virtual camera that we feed, which cannot be our source; None while there
            is none.
        switching: the source to run the session with.
        names: names for people by key.
    """

    def __init__(self, source: LiveSource, settings: LiveSettings) -> None:
        self._settings = settings
        self.ours: str | None = None
        self._key = settings.source if settings.source in _OWN_KEYS else _GIVEN
        self._nothing = isinstance(source, NoSource)  # until something is chosen
        name = source_name(settings.source)
        self._first = {self._key: f"{name}, not found" if self._nothing else name}
        self._camera = None if source.camera is None else source.camera.index
        self._browser = source if isinstance(source, BrowserSource) else None
        self._refreshing = threading.Lock()
        self._resolutions = {*_RESOLUTIONS, self.resolution}
        self.switching = SwitchingSource(source, self._choice(self._key, self._first[self._key]))
        self.names: Names = self._first | _own_names()

    @property
    def key(self) -> str:
        """Key of what is shown, or is being opened."""
        return self._key

    @property
    def name(self) -> str:
        """Its name."""
        return self.names.get(self._key) or self.switching.name  # unplugged, it is not listed

    @property
    def text(self) -> str:
        """The `--source` that opens it."""
        return self._text(self._key)

    def _text(self, key: str) -> str:
        return self._settings.source if key == _GIVEN else key

    def choose(self, key: str) -> None:
        """Switch to another source soon; a key that is not listed is ignored."""
        if key in self.names:
            self._key, self._nothing = key, False
            self.switching.switch(self._choice(key, self.names[key]))

    @property
    def resolution(self) -> str:
        """What cameras, the screen and the test pattern are asked for: "640x360"."""
        return f"{self._settings.width}x{self._settings.height}"

    @property
    def resolutions(self) -> list[str]:
        """Those that can be asked for: the usual ones, and what we began with."""
        return sorted(self._resolutions, key=lambda text: tuple(map(int, text.split("x"))))

    def resize(self, resolution: str) -> None:
        """Open the source anew with frames of another size; a size that is not listed is ignored.

        Videos, streams and a page's own camera keep theirs.
        """
        if resolution not in self._resolutions or resolution == self.resolution:
            return
        width, height = map(int, resolution.split("x"))
        self._settings = self._settings.model_copy(update={"width": width, "height": height})
        if self.has_resolution and not self._nothing:
            self.choose(self._key)

    @property
    def has_resolution(self) -> bool:
        """Whether what is shown can be asked for another size."""
        text = self._text(self._key).strip()
        return text in ("test", "screen") or names_camera(text)

    @property
    def requested_size(self) -> dict[str, object]:
        """The `width` and `height` settings that ask for it."""
        return {"width": self._settings.width, "height": self._settings.height}

    @property
    def needs_choice(self) -> bool:
        """Whether there will be no frame until a page chooses a source."""
        return self._nothing or self.switching.failed

    @property
    def waits_for_browser(self) -> bool:
        """Whether the source is a page's camera, and no page sends one."""
        browser = self._browser
        return self._key == BROWSER and browser is not None and browser.trouble is not None

    def give(self, image: av.VideoFrame, captured_at: float) -> None:
        """A frame of a page's camera; passed over unless that is the source. Any thread may call this."""
        if self._browser is not None:
            self._browser.give(image, captured_at)

    def refresh(self, tell: Callable[[Names], None]) -> None:
        """List the devices anew and call `tell`; in a thread of its own, as it may take a second."""
        thread = threading.Thread(target=self._refresh, args=(tell,), name="stylize-studio-look", daemon=True)
        try:
            thread.start()
        except RuntimeError as error:  # no more threads
            log.warning("could not list the devices: %s", error)

    def _refresh(self, tell: Callable[[Names], None]) -> None:
        if not self._refreshing.acquire(blocking=False):
            return  # another thread does it already, and tells everyone
        try:
            self.names = self._find()
            tell(self.names)
        except Exception as error:  # no file handle is left: the list stays what it was
            log.warning("could not list the devices: %s", describe_error(error), error=error)
        finally:
            self._refreshing.release()

    def _find(self) -> Names:
        cameras = [c for c in list_cameras() if c.captures and self.ours not in (c.name, c.path)]
        found = self._first | {self._key_of(camera): camera.name for camera in cameras}
        if self._settings.source != "screen" and _has_screen():
            found["screen"] = source_name("screen")
        return found | _own_names()

    def _key_of(self, camera: Camera) -> str:
        """The camera that we began with is not listed twice."""
        return _GIVEN if camera.index == self._camera else str(camera.index)

    def _choice(self, key: str, name: str) -> SourceChoice:
        settings = self._settings.model_copy(update={"source": self._text(key)})
        return SourceChoice(name, lambda: self._open(settings))

    def _open(self, settings: LiveSettings) -> LiveSource:
        source = open_live_source(settings)
        camera = source.camera
        if camera is not None and self.ours in (camera.name, camera.path):
            source.close()
            raise SourceError(f"{camera.name} is our own virtual camera and cannot be the source")
        self._browser = source if isinstance(source, BrowserSource) else None
        return source


def _own_names() -> Names:
    return {key: source_name(key) for key in _OWN_KEYS}


def _has_screen() -> bool:
    from stylize_live.media.sources.screen import screen_size

    try:
        screen_size()
    except SourceError:
        return False
    return True


def source_name(text: str) -> str:
    """The name of a `--source` for people."""
    if text.isdigit():
        return f"Camera {text}"
    if "://" in text:
        return urlsplit(text).hostname or "Stream"  # without password and path: others may read along
    own = {"test": "Test pattern", "screen": "Screen", BROWSER: "A browser's camera"}
    return own.get(text, Path(text).name)
