"""What is heard, turned into how far each option is moved: envelopes, steps, changes of style."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from stylize_live.sound.analysis import HOPS, SoundFeatures
from stylize_live.sound_rules import BEAT, MANNERS, Rule, SoundRules

_STEP = 1 / HOPS
_PULSE = 0.12  # seconds for which a beat holds its option before that falls back
_NOTHING = 1e-6  # of an offset, which nobody sees
_STICKS = 0.7  # of a step, by which a value must leave one before the next is taken


@dataclass(frozen=True, slots=True)
class Movement:
    """How far what is heard moves the painting options from where the user set them.

    Attributes:
        offsets: to be added, by the option's name; of strokes, doublings to multiply by.
        changes: of style so far; what is behind the point is the share of the next one, while it fades in.
    """

    offsets: Mapping[str, float] = field(default_factory=dict)
    changes: float = 0.0


STILL = Movement()


class SoundFollower:
    """Follows features in order. The same features give the same movements, from the same beginning.

    Args:
        rules: what moves what.
        amount: times which everything moves, 0 to 2.
        fade: seconds that each change of style takes.
        before: another one that this one goes on from, where rules are changed meanwhile.

    Attributes:
        movement: the newest.
    """

    def __init__(
        self,
        rules: SoundRules,
        amount: float = 1.0,
        fade: float = 1.0,
        before: SoundFollower | None = None,
    ) -> None:
        self._envelopes = {rule.option: _Envelope(rule, amount) for rule in rules.rules}
        self._styles = _StyleChanges(rules.beats, fade)
        self.movement = STILL
        if before is not None:
            self._styles.go_on_from(before._styles)
            for option in self._envelopes.keys() & before._envelopes.keys():
                self._envelopes[option].go_on_from(before._envelopes[option])

    def __call__(self, heard: SoundFeatures) -> Movement:
        """The movement from this moment on, to the next hop."""
        offsets = {option: envelope(heard) for option, envelope in self._envelopes.items()}
        self.movement = Movement(offsets, self._styles(heard))
        return self.movement

    @property
    def changes_styles(self) -> bool:
        """Whether beats change the style."""
        return self._styles.beats > 0

    @property
    def rests(self) -> bool:
        """Whether nothing moves any more until something is heard again."""
        return self._styles.rests and all(envelope.rests for envelope in self._envelopes.values())

    def rest(self) -> Movement:
        """The movement a hop later, when nothing is heard any more: options go back to where they were."""
        silent = SoundFeatures(0.0, -100.0, 0.0, 0.0, 0.0, 0.0, 0.0, False, 0.0)
        return self(silent)


class _Envelope:
    """One option: it rises with the attack of its rule and falls with the release (one pole each)."""

    def __init__(self, rule: Rule, amount: float) -> None:
        self._signal, self._amount = rule.signal, rule.amount * amount
        self._attack, self._release = (_share(seconds) for seconds in (rule.attack, rule.release))
        self._step = MANNERS[rule.option].step
        self._value, self._pulse, self._held = 0.0, 0, 0.0

    def go_on_from(self, before: _Envelope) -> None:
        """Move on from where another one is."""
        self._value, self._pulse, self._held = before._value, before._pulse, before._held

    @property
    def rests(self) -> bool:
        """Whether it is where it goes to in silence."""
        return abs(self._value * self._amount) < _NOTHING and not self._held and not self._pulse

    def __call__(self, heard: SoundFeatures) -> float:
        wanted = self._wanted(heard)
        # Away from rest is a rise, whichever way.
        rises = abs(wanted) > abs(self._value) or wanted * self._value < 0
        self._value += (self._attack if rises else self._release) * (wanted - self._value)
        moved = self._amount * self._value
        if not self._step:
            return moved
        if abs(moved - self._held) > _STICKS * self._step:
            self._held = round(moved / self._step) * self._step
        return self._held

    def _wanted(self, heard: SoundFeatures) -> float:
        if self._signal != BEAT:
            return float(getattr(heard, self._signal))
        self._pulse = round(_PULSE * HOPS) if heard.beat else max(0, self._pulse - 1)
        return float(self._pulse > 0)


class _StyleChanges:
    """Counts beats; every so many, the next style fades in."""

    def __init__(self, beats: int, fade: float) -> None:
        self.beats, self._share = beats, 1.0 if fade <= _STEP else _STEP / fade
        self._counted, self._done, self._fading = 0, 0, 0.0

    def go_on_from(self, before: _StyleChanges) -> None:
        """Count on from another one."""
        self._counted, self._done, self._fading = before._counted, before._done, before._fading

    @property
    def rests(self) -> bool:
        """Whether no style fades in."""
        return not self._fading

    def __call__(self, heard: SoundFeatures) -> float:
        if self._fading:
            self._fading += self._share
            if self._fading >= 1 - 1e-9:
                self._done, self._fading = self._done + 1, 0.0
        if self.beats and heard.beat:
            self._counted += 1
            if self._counted >= self.beats and not self._fading:
                self._counted = 0
                if self._share < 1:
                    self._fading = self._share
                else:
                    self._done += 1
        return self._done + self._fading


def _share(seconds: float) -> float:
    """Of the way, in a hop."""
    return 1 - math.exp(-_STEP / seconds) if seconds > 0 else 1.0
