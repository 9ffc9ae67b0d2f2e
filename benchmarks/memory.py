"""Memory of `convert` at 1080p beyond the runtime's own: `python benchmarks/memory.py`.

The runtime's own is the peak of a process that loads everything and paints one small frame.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from fractions import Fraction
from pathlib import Path

from stylize_live.config import DEFAULT_STYLE
from stylize_live.frame import Frame
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.encode.writer import VideoWriter
from stylize_live.media.libraries import cv2
from stylize_live.system.processes import wait_for_peak

SAMPLE = Path(__file__).parent.parent / "samples" / "flower.mp4"
SIZE = (1920, 1080)
FRAMES = 48
RUNTIME = (
    "import sys; from stylize_live.engine import Stylizer; import stylize_live.conversion.convert;"
    "Stylizer(sys.argv[1]).warm_up((64, 48))"
)


def make_clip(path: Path) -> None:
    """The sample's first frames at 1080p."""
    with VideoReader(SAMPLE) as reader, VideoWriter(path, SIZE, rate=Fraction(25)) as writer:
        for index, frame in zip(range(FRAMES), reader, strict=False):
            writer.write(Frame(cv2.resize(frame.pixels, SIZE), Fraction(index, 25), 0.0, index))


def peak(arguments: list[str]) -> float:
    """Most memory that a Python process held, in MB."""
    child = subprocess.Popen([sys.executable, *arguments], stdout=subprocess.DEVNULL, text=True)
    most = wait_for_peak(child)
    if child.returncode:
        raise SystemExit(f"{arguments[:2]} ended with {child.returncode}")
    return most or 0.0


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--style", default=DEFAULT_STYLE)
    options, more = parser.parse_known_args()  # the rest is for `convert`
    with tempfile.TemporaryDirectory() as folder:
        clip, target = Path(folder) / "clip.mp4", Path(folder) / "out.mp4"
        make_clip(clip)
        runtime = peak(["-c", RUNTIME, options.style])
        command = ["-m", "stylize_live.cli.app", "convert", str(clip), str(target)]
        whole = peak([*command, "--style", options.style, *more])
    size = "x".join(map(str, SIZE))
    print(f"{size}: {whole:.0f} MB, the runtime's own {runtime:.0f} MB, beyond {whole - runtime:.0f} MB")


if __name__ == "__main__":
    main()
