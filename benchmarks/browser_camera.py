"""From a browser's camera to the painted frame on its page: how old is it when it is drawn?

    apt-get install chromium; pip install aiortc
    python benchmarks/browser_camera.py                # 640x360, 20 seconds
    python benchmarks/browser_camera.py --style desert --size 1280x720

The camera is a canvas that carries the moment of its drawing, in large black and white squares. Browser
and program run on this machine: `studio --source browser --split` paints the right half, and the left half
comes back as it was, so that the page can read the moment and compare it with its clock. What a real
camera needs, what the screen needs, and what a network adds, is not in it.
"""

from __future__ import annotations

import argparse
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from chromium import Chromium

_BITS, _ACROSS = 16, 4
_CAMERA = """
navigator.mediaDevices.getUserMedia = async () => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [WIDTH, HEIGHT];
  const pen = canvas.getContext("2d");
  const cell = [WIDTH / 2 / (ACROSS + 1), HEIGHT / (BITS / ACROSS + 1)];
  setInterval(() => {
    const now = Math.round(performance.now()) % (1 << BITS);
    for (let y = 0; y < 12; y++) {
      pen.fillStyle = `hsl(${y * 30 + now / 50} 60% 50%)`;
      pen.fillRect(0, y * HEIGHT / 12, WIDTH, HEIGHT / 12 + 1);
    }
    for (let bit = 0; bit < BITS; bit++) {
      pen.fillStyle = now >> bit & 1 ? "white" : "black";
      pen.fillRect(cell[0] * (bit % ACROSS), cell[1] * Math.floor(bit / ACROSS), ...cell);
    }
  }, 1000 / 30);
  return canvas.captureStream(30);
};
"""
_READ = """
(() => {
  window.ages = [];
  const frame = document.getElementById("image");
  const copy = new OffscreenCanvas(WIDTH, HEIGHT).getContext("2d", { willReadFrequently: true });
  const cell = [WIDTH / 2 / (ACROSS + 1), HEIGHT / (BITS / ACROSS + 1)];
  let last = -1;
  const look = () => {
    const now = Math.round(performance.now()) % (1 << BITS);
    copy.drawImage(frame, 0, 0, WIDTH, HEIGHT);
    let stamp = 0;
    for (let bit = 0; bit < BITS; bit++) {
      const [x, y] = [cell[0] * (bit % ACROSS + 0.5), cell[1] * (Math.floor(bit / ACROSS) + 0.5)];
      if (copy.getImageData(x, y, 1, 1).data[1] > 127) stamp |= 1 << bit;
    }
    if (stamp !== last) window.ages.push((now - stamp + (1 << BITS)) % (1 << BITS));
    last = stamp;
    requestAnimationFrame(look);
  };
  look();
})()
"""


def script(text: str, size: tuple[int, int]) -> str:
    """A script with its numbers in place."""
    numbers = {"WIDTH": size[0], "HEIGHT": size[1], "BITS": _BITS, "ACROSS": _ACROSS}
    for name, value in numbers.items():
        text = text.replace(name, str(value))
    return text


def measure(browser: Chromium, url: str, size: tuple[int, int], seconds: float) -> dict[str, object]:
    """Turn the camera on, watch, and count."""
    tab = browser.open("about:blank")
    tab.call("Page.addScriptToEvaluateOnNewDocument", source=script(_CAMERA, size))
    tab.go(url)
    tab.until("document.getElementById('camera')?.hidden === false")
    start = time.monotonic()
    tab.click("#camera")
    tab.until("document.getElementById('image').width > 16")
    first = time.monotonic() - start
    tab.run("new Promise((done) => setTimeout(done, 5000))")
    tab.run(script(_READ, size))
    tab.run(f"new Promise((done) => setTimeout(done, {seconds * 1000}))")
    ages = tab.run("window.ages")[1:]
    shown = {name: tab.run(f"document.getElementById('{name}').textContent") for name in ("age", "ms-page")}
    return {
        "first_frame_s": round(first, 2),
        "fps": round(len(ages) / seconds, 1),
        "age_ms": {f"p{share}": round(float(np.percentile(ages, share))) for share in (50, 95, 99)},
        "the_page_says_ms": shown,
    }


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", default="640x360")
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--style", default="starry-night")
    options = parser.parse_args()
    width, height = (int(side) for side in options.size.split("x"))
    program = shutil.which("chromium") or shutil.which("google-chrome")
    if program is None:
        raise SystemExit("no Chromium: apt-get install chromium")
    command = [
        sys.executable, "-m", "stylize_live.cli.app", "studio", "--source", "browser", "--split",
        "--port", "0", "--style", options.style, "--width", str(width), "--height", str(height),
    ]  # fmt: skip
    studio = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert studio.stdout is not None
        url = next(line.split()[1] for line in studio.stdout if line.startswith("studio:"))
        with Chromium(Path(program)) as browser:
            print(json.dumps(measure(browser, url, (width, height), options.seconds)))
    finally:
        studio.send_signal(2)
        studio.wait(20)
    return 0


if __name__ == "__main__":
    sys.exit(main())
