"""What `convert` keeps, clip by clip: `python benchmarks/convert_table.py DIR -o docs/convert-table.md`.

Every video of the folder, and clips this script makes (known colours in many codecs, matrices and
ranges; variable rates, late starts, rotation, many tracks), go through the real converter with a
stylizer that leaves the frames as they are, so that colours and frames can be compared. Each
result is decoded again without this package's reader.

`--chromium PATH` plays the results in a real browser, `--ffprobe PATH` asks an independent reader,
`--style NAME` also paints the first clip of the folder for real. Ends with code 1 if anything was lost
without a word.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from browser import Played, play
from convert_checks import LEVELS, Contents, contents, delay, ffprobe, opacity_error, patch_error
from convert_clips import Clip, make_clips

from stylize_live.conversion.convert import convert
from stylize_live.conversion.stylizers import FrameStylizer
from stylize_live.engine import Stylizer
from stylize_live.frame import Frame

HEAD = ("clip", "into", "frames", "times", "packets", "sound", "difference", "colours", "ffprobe", "Chromium")
# Chromium without a GPU rounds BT.709's weight of blue and is up to 8 levels off in saturated blue, with
# any file; a wrong matrix would be off by 25.
BROWSER_LEVELS = 9
GAP = "**"  # what marks a cell that tells of a loss
NOTES_OF_TIMES = "milliseconds"
SUFFIXES = {".mp4", ".mkv", ".mov", ".webm", ".avi", ".ts", ".m4v"}


class Untouched:
    """Leaves frames as they are."""

    fingerprint = "untouched"

    def warm_up(self, size: tuple[int, int]) -> None:
        """Nothing to do."""

    def stream(self, frames: Iterable[Frame]) -> Iterator[Frame]:
        """The same frames."""
        yield from frames


class Row:
    """One conversion: what was found, cell by cell, and what the converter said."""

    def __init__(self, clip: Clip, target: Path) -> None:
        self.clip, self.target = clip, target
        self.cells = {"clip": clip.path.name, "into": f"{target.suffix} {clip.choices}".strip()}
        self.notes: list[str] = []

    def say(self, column: str, what: str, good: bool = True) -> None:
        """Fill a cell; what is not good stands out."""
        self.cells[column] = what if good else f"{GAP}{what}{GAP}"

    @property
    def gaps(self) -> list[str]:
        """Columns that tell of a loss."""
        return [column for column in HEAD if self.cells.get(column, "").startswith(GAP)]

    def compare(self, stylizer: FrameStylizer, probe: Path | None, painted: bool = False) -> None:
        """Convert and look at the result."""
        report = convert(self.clip.path, self.target, stylizer, self.clip.settings, overwrite=True)
        self.notes = report.notes
        before, after = contents(self.clip.path), contents(self.target)
        lost = len(before.times) - len(after.times)
        of = f" of {len(before.times)}, source damaged" if lost and report.damaged else ""
        # Of a damaged file the converter may save more than plain decoding does.
        self.say("frames", f"{len(after.times)}{of}", lost == 0 or 0 < report.damaged >= lost)
        self._times(before, after)
        self._packets(before, after)
        self._sound(before, after)
        if not painted:
            self._images(before, after)
        if probe is not None:
            self._probe(probe, after)

    def _times(self, before: Contents, after: Contents) -> None:
        shift = after.times[0] - before.times[0]
        pairs = zip(before.times, after.times, strict=False)
        worst = max((abs(b + shift - a) for b, a in pairs), default=Fraction(0))
        from_zero = before.times[0] != 0 and shift != 0
        moved = (
            f", start {float(before.times[0]):.3f} s -> {float(after.times[0]):.3f} s" if from_zero else ""
        )
        # A clock that starts anywhere (MPEG) is set to 0; a rounded one moves by half a tick.
        may_move = self.clip.path.suffix in (".ts", ".mpg", ".avi") or abs(shift) < Fraction(1, 1000)
        said = any(NOTES_OF_TIMES in note for note in self.notes)
        if worst == 0 and (shift == 0 or may_move):
            self.say("times", f"equal{moved}")
        else:
            good = worst <= Fraction(1, 1000) and may_move and (said or shift == 0)
            self.say("times", f"within {1000 * float(worst):.2f} ms{moved}", good)

    def _packets(self, before: Contents, after: Contents) -> None:
        unclaimed = list(after.packets)
        equal, other = [], []
        for kind, hashes in before.packets:
            same = next((p for p in unclaimed if p == (kind, hashes)), None)
            if same is not None:
                unclaimed.remove(same)
                equal.append(kind)
            else:
                other.append(kind)
        good = len(other) <= sum("stream" in note for note in self.notes)
        if before.chapters:
            near = len(before.chapters) == len(after.chapters) and all(
                b[0] == a[0] and abs(b[1] - a[1]) <= Fraction(1, 1000)
                for b, a in zip(before.chapters, after.chapters, strict=True)
            )
            good = good and near
            equal.append(f"{len(after.chapters)} chapters")
        text = f"equal: {', '.join(equal)}" if equal else "-"
        if other:
            text += f"; see notes: {', '.join(other)}"
        self.say("packets", text, good)

    def _sound(self, before: Contents, after: Contents) -> None:
        pairs = zip(before.sounds, after.sounds, strict=False)
        delays = [delay(b, a) for b, a in pairs]
        late = [value for value in delays if value is not None]
        words = ", ".join("silence" if value is None else f"{value:+.2f} ms" for value in delays) or "-"
        # A Matroska file on either side rounds frames and sound to milliseconds.
        self.say("sound", words, all(abs(value) <= 1.05 for value in late))

    def _images(self, before: Contents, after: Contents) -> None:
        error = (
            float(np.abs(before.thumbs - after.thumbs).mean())
            if before.thumbs.shape == after.thumbs.shape
            else 99
        )
        turned = f", turned by {before.rotation}" if before.rotation else ""
        if any("BT.709" in note for note in self.notes):  # other colours on purpose
            self.say("difference", "-", after.rotation == 0 and after.size == before.size)
            return
        # Bars have hard edges that 4:2:0 softens, and combing is gone on purpose: there only a mess counts.
        most = 8 if self.clip.has_patches or any("interlaced" in note for note in self.notes) else 2.5
        good = error < most and after.rotation == 0
        grown = tuple(side + side % 2 for side in before.size)
        self.say("difference", f"{error:.1f}{turned}", good and after.size in (before.size, grown))
        if before.aspect != after.aspect:
            shapes = [Fraction(*c.size) * (c.aspect or 1) for c in (before, after)]
            kept = abs(shapes[0] / shapes[1] - 1) < Fraction(1, 20)  # of these tiny frames' even sides
            self.say(
                "difference", f"{error:.1f}, pixels {before.aspect} -> {after.aspect}", kept and error < most
            )
        if self.clip.has_patches:
            came, went = patch_error(before.patches), patch_error(after.patches)
            words, good = f"{came:.1f} -> {went:.1f}", went <= LEVELS
            if self.clip.has_alpha:
                off = opacity_error(self.target)
                words, good = f"{words}, opacity {off:.1f}", good and off <= LEVELS
            self.say("colours", words, good)
        matrix, levels, *others = after.tags
        if levels == 0 or 2 in (matrix, *others):  # what these numbers mean is: nothing said
            self.say("colours", f"tags {after.tags}", False)

    def _probe(self, program: Path, after: Contents) -> None:
        times, video = ffprobe(program, self.target)
        equal = len(times) == len(after.times) and all(
            abs(a - float(b)) < 2e-6 for a, b in zip(sorted(times), after.times, strict=False)
        )
        colours = video.get("color_space"), video.get("color_range"), video.get("color_transfer")
        good = equal and all(colours)
        self.say("ffprobe", "same" if good else f"{len(times)} frames, {colours}", good)

    def hear_browser(self, played: Played) -> None:
        """Fill the browser's cell."""
        if played.error:
            self.say("Chromium", played.error[:60], False)
            return
        frames = int(self.cells["frames"].strip("*").split()[0])
        words = f"{played.size[0]}x{played.size[1]}, {played.frames} of {frames}"
        good = True
        if self.clip.has_patches and self.cells.get("colours"):
            off = patch_error(np.array(played.colours))
            words += f", colours {off:.0f}"
            good = off <= BROWSER_LEVELS
        if "sound" in self.cells["packets"] or self.cells["sound"] != "-":
            words += ", sound" if played.sound else ", silent"
        self.say("Chromium", words, good)


def clips_of(folder: Path) -> list[Clip]:
    """Videos of a folder and its subfolders."""
    paths = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    return [Clip(path) for path in paths]


def table(rows: list[Row]) -> str:
    """Markdown: the cells, then what the converter said about each clip."""
    columns = [column for column in HEAD if any(column in row.cells for row in rows)]
    lines = ["| " + " | ".join(columns) + " |", "|" + "---|" * len(columns)]
    lines += ["| " + " | ".join(row.cells.get(c, "") for c in columns) + " |" for row in rows]
    lines += ["", "What the converter said:", ""]
    said: dict[str, list[str]] = {}
    for row in rows:
        for note in row.notes:
            said.setdefault(note, []).append(f"{row.clip.path.name} into {row.target.suffix}")
    lines += [f"- {note} ({_some(names)})" for note, names in said.items()]
    return "\n".join(lines)


def _some(names: list[str]) -> str:
    return ", ".join(names[:2]) + (f" and {len(names) - 2} more" if len(names) > 2 else "")


def convert_all(clips: list[Clip], folder: Path, probe: Path | None) -> list[Row]:
    """A row for each clip and format."""
    rows = []
    for clip in clips:
        for suffix in clip.suffixes:
            name = "-".join([clip.path.stem, "from", clip.path.suffix[1:], *clip.choices.split()])
            row = Row(clip, folder / f"{name}{suffix}")
            rows.append(row)
            began = time.perf_counter()
            try:
                row.compare(Untouched(), probe)
            except Exception as error:  # the table tells of everything
                row.say("frames", f"{type(error).__name__}: {error}"[:200], False)
            seconds = time.perf_counter() - began
            into = row.cells["into"]
            print(f"{clip.path.name} into {into}: {seconds:.1f} s {row.gaps or ''}", file=sys.stderr)
    return rows


def painted_row(clip: Clip, style: str, folder: Path, probe: Path | None) -> Row:
    """One clip painted for real."""
    name = Path(style).stem
    row = Row(clip, folder / f"{clip.path.stem}-{name}.mp4")
    row.cells["clip"] += f", painted ({name})"
    with Stylizer(style) as stylizer:
        row.compare(stylizer, probe, painted=True)
    return row


def main() -> int:
    """Convert, compare, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", help="folder of videos")
    parser.add_argument("-o", "--output", type=Path, help="file for the table; default: print it")
    parser.add_argument("--ffprobe", type=Path, metavar="PATH", help="also ask this ffprobe")
    parser.add_argument("--chromium", type=Path, metavar="PATH", help="also play the results in this browser")
    parser.add_argument("--style", metavar="NAME", help="also paint the folder's first clip for real")
    parser.add_argument("--keep", type=Path, metavar="DIR", help="keep made clips and results here")
    options = parser.parse_args()
    os.environ.setdefault("SVT_LOG", "0")
    with tempfile.TemporaryDirectory() as scratch:
        folder = options.keep or Path(scratch)
        (folder / "made").mkdir(parents=True, exist_ok=True)
        (folder / "results").mkdir(exist_ok=True)
        own = clips_of(options.folder) if options.folder else []
        rows = convert_all([*own, *make_clips(folder / "made")], folder / "results", options.ffprobe)
        if options.style and own:
            rows.append(painted_row(own[0], options.style, folder / "results", options.ffprobe))
        if options.chromium:
            done = [row for row in rows if row.target.exists() and row.clip.for_browser]
            for row, played in zip(done, play(options.chromium, [row.target for row in done]), strict=True):
                row.hear_browser(played)
                if options.keep and played.image:
                    row.target.with_suffix(row.target.suffix + ".png").write_bytes(played.image)
    text = table(rows)
    if options.output:
        options.output.write_text(text + "\n", encoding="utf-8")
    else:
        print(text)
    gaps = [row for row in rows if row.gaps]
    print(f"{len(rows)} conversions, {len(gaps)} with a gap", file=sys.stderr)
    return 1 if gaps else 0


if __name__ == "__main__":
    sys.exit(main())
