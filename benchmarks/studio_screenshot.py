"""The screenshot of the studio's page in the docs, taken from a real Chromium.

    apt-get install chromium
    python benchmarks/studio_screenshot.py                       # docs/studio.jpg
    python benchmarks/studio_screenshot.py --phone -o phone.jpg --source my.mp4 -- --style great-wave

What follows after -- is for `stylize-live studio`. The figures on it are those of the machine at
that moment; on a quiet one nothing is dropped.
"""

from __future__ import annotations

import argparse
import io
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from chromium import Chromium, Tab
from waiting import eventually

_DESKTOP, _PHONE = (1600, 1200), (390, 844)
_MOST_BYTES = 250_000
# A browser without a window has no mouse; whoever looks at the frame has.
_MOUSE = (
    "--blink-settings=availableHoverTypes=2,primaryHoverType=2,availablePointerTypes=4,primaryPointerType=4"
)
_ALL_PAINTED = "document.querySelectorAll('.style img').length >= document.querySelectorAll('.style').length"


def main() -> None:
    """Serve, look, save."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("-o", "--output", type=Path, default=ROOT / "docs" / "studio.jpg")
    parser.add_argument("--source", default=str(ROOT / "samples" / "flower.mp4"))
    parser.add_argument("--phone", action="store_true")
    parser.add_argument("--seconds", type=float, default=60, help="for which the show runs before")
    parser.add_argument("studio", nargs="*", help="options of the studio")
    wanted = parser.parse_args()
    port = _free_port()
    command = [sys.executable, "-m", "stylize_live.cli.app", "studio", "--port", str(port)]
    command += ["--source", wanted.source, *wanted.studio]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL) as show:
        try:
            eventually(lambda: _answers(port) or show.poll() is not None, "the studio answers", within=120)
            with Chromium(
                Path(shutil.which("chromium") or ""), *([] if wanted.phone else [_MOUSE])
            ) as browser:
                size = _PHONE if wanted.phone else _DESKTOP
                tab = browser.open(f"http://127.0.0.1:{port}/", size, phone=wanted.phone)
                wanted.output.write_bytes(_image(tab, wanted.seconds))
        finally:
            show.terminate()


def _image(tab: Tab, seconds: float) -> bytes:
    """JPEG of the page with every style painted, after so many seconds."""
    tab.until("document.getElementById('image').width > 16", 120)
    tab.click("#split")
    tab.click("#sound-card > summary")
    tab.run("document.activeElement.blur()")
    tab.until(_ALL_PAINTED, 300)
    time.sleep(seconds)
    with Image.open(io.BytesIO(tab.image())) as png:
        for quality in (88, 84, 80, 75, 70, 60):
            made = io.BytesIO()
            png.convert("RGB").save(made, "JPEG", quality=quality, optimize=True, progressive=True)
            if made.tell() <= _MOST_BYTES:
                break
    return made.getvalue()


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    main()
