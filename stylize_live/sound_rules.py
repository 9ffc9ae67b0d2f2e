"""What of the sound moves which painting option: ``level:boldness,bass:strength:0.3,beat:style:16``."""

from __future__ import annotations

import difflib
import math
from dataclasses import dataclass

from stylize_live.options import BOLDNESS_STEP, PaintingOptions

SIGNALS = ("level", "bass", "mid", "treble", "onset", "beat")
STYLE = "style"  # changes on the beat instead of moving
BEAT = "beat"
USUAL = "auto"
OFF = "off"
USUAL_RULES = "level:boldness,bass:strength"  # what `USUAL` means
_MOST_AMOUNT = 1.0
_FEWEST_BEATS, _MOST_BEATS = 1, 1024
_LONGEST = 60.0  # seconds of attack or release


@dataclass(frozen=True, slots=True)
class Manner:
    """How an option moves where nothing else is said.

    Attributes:
        amount: how far, at most, to either side of what the user set: parts of the option's range from 0 to
            1; of strokes, doublings.
        attack, release: seconds in which it rises and falls by two thirds of the way.
        step: it moves in steps of this, each of which costs a graph of its own; 0 moves freely.
    """

    amount: float
    attack: float
    release: float
    step: float = 0.0


# What costs a graph moves slowly; strength costs nothing.
MANNERS = {
    "strength": Manner(0.25, 0.12, 0.6),
    "boldness": Manner(0.25, 0.8, 2.5, BOLDNESS_STEP),
    "stroke": Manner(0.25, 1.5, 4.0, 0.125),
    "steadiness": Manner(0.2, 0.5, 1.5),
}
assert set(MANNERS) <= set(PaintingOptions.model_fields)
USUAL_BEATS = 16


@dataclass(frozen=True, slots=True)
class Rule:
    """One option and what moves it.

    Attributes:
        signal: one of `SIGNALS`.
        option: a key of `MANNERS`.
        amount, attack, release: see `Manner`; a negative amount moves it the other way.
    """

    signal: str
    option: str
    amount: float
    attack: float
    release: float

    @property
    def text(self) -> str:
        """As `SoundRules.parse` reads it, with all its parts."""
        return f"{self.signal}:{self.option}:{self.amount:g}:{self.attack:g}:{self.release:g}"


@dataclass(frozen=True, slots=True)
class SoundRules:
    """All that follows the sound.

    Attributes:
        rules: one for each option that moves.
        beats: from one change of style to the next; 0 for none.
    """

    rules: tuple[Rule, ...]
    beats: int = 0

    @classmethod
    def parse(cls, text: str) -> SoundRules:
        """Read rules: ``signal:option:amount:attack:release``, parted by commas.

        Amount, attack and release may be left out, and of an option alone the signal, too, which is the level
        then. ``beat:style:16`` changes the style on every sixteenth beat; ``auto`` is `USUAL_RULES`, and
        ``off`` nothing.

        Raises:
            ValueError: no rule, an unknown word, a number out of range, or an option that two rules move.
        """
        if text.strip().lower() == OFF:
            return cls(())
        text = USUAL_RULES if text.strip().lower() == USUAL else text
        rules: dict[str, Rule] = {}
        beats = 0
        for part in text.split(","):
            words = [word.strip().lower() for word in part.split(":")]
            if len(words) == 1:
                words.insert(0, BEAT if words[0] == STYLE else "level")
            signal, option, *numbers = words
            _check_words(part.strip(), signal, option)
            if option in rules or (option == STYLE and beats):
                raise ValueError(f"{option} is moved by two rules")
            if option == STYLE:
                beats = _read_beats(part.strip(), signal, numbers)
            else:
                rules[option] = _read_rule(part.strip(), signal, option, numbers)
        return cls(tuple(rules.values()), beats)

    @property
    def options(self) -> frozenset[str]:
        """Names of the options that move."""
        return frozenset(rule.option for rule in self.rules)


def rules_of(text: str) -> SoundRules | None:
    """The rules of a text, or None where nothing follows the sound. Raises as `SoundRules.parse` does."""
    rules = SoundRules.parse(text)
    return rules if rules.rules or rules.beats else None


def _check_words(part: str, signal: str, option: str) -> None:
    options = (*MANNERS, STYLE)
    for word, known, kind in ((signal, SIGNALS, "of the sound"), (option, options, "to paint with")):
        if word not in known:
            near = difflib.get_close_matches(word[:40], known, 1)
            hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(known)}"
            raise ValueError(f"{part[:60]!r} names nothing {kind}: {hint}")


def _read_beats(part: str, signal: str, numbers: list[str]) -> int:
    if signal != BEAT:
        raise ValueError(f"{part!r}: styles change on the beat, as in beat:style:16")
    if not numbers:
        return USUAL_BEATS
    number = numbers[0]
    right = len(numbers) == 1 and number.isascii() and number.isdigit() and len(number) < 6
    if not right or not _FEWEST_BEATS <= int(number) <= _MOST_BEATS:
        raise ValueError(f"{part!r} needs a number of beats, {_FEWEST_BEATS} to {_MOST_BEATS}")
    return int(number)


def _read_rule(part: str, signal: str, option: str, numbers: list[str]) -> Rule:
    usual = MANNERS[option]
    ranges = ((-_MOST_AMOUNT, _MOST_AMOUNT), (0.0, _LONGEST), (0.0, _LONGEST))
    values = [usual.amount, usual.attack, usual.release]
    if len(numbers) > len(values):
        raise ValueError(f"{part!r} has too many parts: signal:option:amount:attack:release are all")
    for place, number in enumerate(numbers):
        low, high = ranges[place]
        try:
            value = float(number)
        except ValueError:
            value = math.nan
        if not low <= value <= high:
            what = ("an amount", "seconds of attack", "seconds of release")[place]
            raise ValueError(f"{part!r} needs {what} of {low:g} to {high:g}")
        values[place] = value
    return Rule(signal, option, *values)
