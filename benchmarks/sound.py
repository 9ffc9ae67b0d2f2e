"""How exactly beats are found in tracks whose beats are known, and what listening costs.

python benchmarks/sound.py
"""

from __future__ import annotations

import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from synthetic_sound import RATE, Samples, make_band, make_clicks

from stylize_live.sound.analysis import SoundAnalyzer, SoundFeatures

_SECONDS = 30.0
_TEMPOS = (70, 90, 100, 120, 140, 160)


def main() -> None:
    """Print a table, one line for each track."""
    print("track    bpm  found  first beat  beats  error, median and most  processor time")
    for name, make in (("clicks", make_clicks), ("band", make_band)):
        for bpm in _TEMPOS:
            samples, truth = make(bpm, _SECONDS)
            heard, share = _listen(samples)
            beats = [one.time for one in heard if one.beat and one.time < truth[-1]]
            errors = [1000 * min(abs(beat - true) for true in truth) for beat in beats]
            tempo = statistics.median(one.tempo for one in heard if one.tempo)
            print(
                f"{name:8} {bpm:3}  {tempo:5.1f}  {beats[0]:8.1f} s  {len(beats):5}  "
                f"{statistics.median(errors):5.0f} ms {max(errors):5.0f} ms     {share:.1%} of a core"
            )


def _listen(samples: Samples) -> tuple[list[SoundFeatures], float]:
    """What is heard, and the processor time for each second of it."""
    began = time.process_time()
    heard = list(SoundAnalyzer(RATE).feed(samples))
    return heard, (time.process_time() - began) / _SECONDS


if __name__ == "__main__":
    main()
