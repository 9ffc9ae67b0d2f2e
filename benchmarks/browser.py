"""Play files in a real Chromium's video element and hear what it says about them.

A server on the loopback address hands out the files and a page; the page plays each file to its end
and posts what it saw. Nothing outside this machine is asked.
"""

from __future__ import annotations

import base64
import contextlib
import json
import subprocess
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote

_PAGE = """<!doctype html><meta charset="utf-8"><body><script>
const names = NAMES;
const heard = (what, ms) => new Promise(done => {
  setTimeout(() => done(false), ms); what(() => done(true));
});
async function play(index) {
  const video = document.createElement("video");
  document.body.replaceChildren(video);
  const seen = {index, error: null};
  const canvas = document.createElement("canvas");
  video.src = "/file/" + index;
  const ready = await heard(done => {
    video.addEventListener("loadeddata", done, {once: true});
    video.addEventListener("error", done, {once: true});
  }, 8000);
  if (video.error || !ready || !video.videoWidth) {
    seen.error = video.error ? video.error.message || "code " + video.error.code : "no frame";
  } else {
    seen.width = video.videoWidth; seen.height = video.videoHeight; seen.duration = video.duration;
    canvas.width = video.videoWidth; canvas.height = video.videoHeight;
    const pen = canvas.getContext("2d");
    const ended = heard(done => {
      video.addEventListener("ended", done, {once: true});
      video.addEventListener("error", done, {once: true});
    }, 4000 + 1000 * video.duration);
    await video.play().catch(error => { seen.error = String(error); });
    if (!(await ended)) seen.error = seen.error || "did not reach its end";
    if (video.error) seen.error = video.error.message;
    seen.frames = video.getVideoPlaybackQuality().totalVideoFrames;
    seen.sound = video.webkitAudioDecodedByteCount;
    pen.drawImage(video, 0, 0);
    seen.colours = [0, 1, 2, 3, 4, 5].map(i => Array.from(pen.getImageData(
      Math.floor((2 * i + 1) * canvas.width / 12), Math.floor(canvas.height / 2), 1, 1).data.slice(0, 3)));
    seen.frame = canvas.toDataURL("image/png").split(",")[1];
  }
  await fetch("/seen", {method: "POST", body: JSON.stringify(seen)});
}
(async () => {
  for (let i = 0; i < names.length; i++) await play(i);
  await fetch("/done", {method: "POST"});
})();
</script>"""


@dataclass(frozen=True, slots=True)
class Played:
    """What the browser said about one file.

    Attributes:
        error: why it does not play, or None.
        size: (width, height) as shown.
        seconds: length.
        frames: frames it decoded while playing in real time.
        sound: bytes of sound it decoded; 0 where there is none or none that it understands.
        colours: (R, G, B) in the middle of six vertical bars of the last frame.
        image: PNG of the last frame.
    """

    error: str | None
    size: tuple[int, int] = (0, 0)
    seconds: float = 0.0
    frames: int = 0
    sound: int = 0
    colours: tuple[tuple[int, int, int], ...] = ()
    image: bytes = b""


def play(chromium: Path, files: Sequence[Path], timeout: float = 1800.0) -> list[Played]:
    """Play files one after the other, in real time.

    Args:
        chromium: the browser's program.
        files: videos to play.
        timeout: seconds after which the browser is stopped; files not reached by then have an error.
    """
    seen: dict[int, Played] = {}
    done = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            if self.path.startswith("/file/"):
                self._send_file(files[int(unquote(self.path).rsplit("/", 1)[1])])
            else:
                page = _PAGE.replace("NAMES", json.dumps([f.name for f in files])).encode()
                self._send(200, page, "text/html")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.path == "/done":
                done.set()
            else:
                said = json.loads(body)
                seen[said["index"]] = _played(said)
            self._send(200, b"", "text/plain")

        def _send_file(self, path: Path) -> None:
            data = path.read_bytes()
            first, last = 0, len(data) - 1
            asked = self.headers.get("Range")
            if asked:
                low, _, high = asked.removeprefix("bytes=").partition("-")
                first, last = int(low), min(last, int(high) if high else last)
            extra = {"Content-Range": f"bytes {first}-{last}/{len(data)}"} if asked else {}
            self._send(206 if asked else 200, data[first : last + 1], "video/mp4", extra)

        def _send(self, code: int, body: bytes, kind: str, extra: dict[str, str] | None = None) -> None:
            self.send_response(code)
            headers = {"Content-Type": kind, "Content-Length": str(len(body)), "Accept-Ranges": "bytes"}
            for key, value in (headers | (extra or {})).items():
                self.send_header(key, value)
            self.end_headers()
            # The browser asks for a range and hangs up when it has enough.
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server, tempfile.TemporaryDirectory() as profile:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        browser = subprocess.Popen(
            [
                str(chromium),
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--autoplay-policy=no-user-gesture-required",
                "--force-color-profile=srgb",
                f"--user-data-dir={profile}",
                f"http://127.0.0.1:{server.server_address[1]}/",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            done.wait(timeout)
        finally:
            browser.terminate()
            browser.wait(20)
            server.shutdown()
    return [seen.get(index, Played("the browser never came to it")) for index in range(len(files))]


def _played(said: dict[str, Any]) -> Played:
    return Played(
        said["error"],
        (said.get("width", 0), said.get("height", 0)),
        said.get("duration") or 0.0,
        said.get("frames", 0),
        said.get("sound") or 0,
        tuple(tuple(colour) for colour in said.get("colours", ())),
        base64.b64decode(said.get("frame", "")),
    )
