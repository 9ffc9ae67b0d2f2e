"""MIDI: knobs and keys control a session. See docs/stage.md."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from stylize_live.errors import StylizeError, UsageError, describe_error
from stylize_live.lifecycle import Closeable
from stylize_live.live.session import LiveSession
from stylize_live.rate_limited_log import RateLimitedLog
from stylize_live.remotes.midi_bindings import Bindings, Target, parse_target, usual_file
from stylize_live.remotes.midi_ports import MidiPorts, midi_system
from stylize_live.remotes.pick_up import PickUp
from stylize_live.studio.control_desk import ControlDesk
from stylize_live.studio.controls import command_of, values_of

log = RateLimitedLog(logging.getLogger(__name__))

_STEPS = 128
_PRESSED = 64  # from here on a knob is a key that is down


@dataclass(frozen=True, slots=True)
class Move:
    """A knob that was moved, or a key that was pressed or let go.

    Attributes:
        key: such as "cc 21" or "note 36".
        channel: 1 to 16.
        step: 0 to 127: a knob's place, a key's velocity, a program's number.
    """

    key: str
    channel: int
    step: int


@dataclass(slots=True)
class _Knob:
    """What is known of one that is bound."""

    pick_up: PickUp = field(default_factory=PickUp)
    step: int = 0
    choice: int | None = None
    told: bool = False


class MidiRemote(Closeable):
    """A `Remote` of knobs and keys.

    Knobs move numbers over their range as sliders do, and take over softly, see `PickUp`; keys do things
    once, and switch on what was off. A knob can choose among styles, too.

    Args:
        desk: does what is asked for.
        ports: the devices; closed with it.
        bindings: which knob or key does what.
    """

    watched = shows = False  # nobody sees a frame here

    def __init__(self, desk: ControlDesk, ports: MidiPorts, bindings: Bindings) -> None:
        self._desk, self._ports, self._bindings = desk, ports, bindings
        self._knobs: dict[str, _Knob] = {}
        self._opened = ports.opened
        self._learning = ""
        self._words = bindings.words()
        desk.knobs = self

    @property
    def devices(self) -> list[str]:
        """Names of those that are connected."""
        return self._ports.names

    # What pages ask for, see `Knobs`.

    def learn(self, name: str) -> None:
        """See `Knobs.learn`."""
        try:
            if name:
                parse_target(name)
        except UsageError as error:
            log.warning("MIDI: %s", error)
        else:
            self._learning = name

    def forget(self, key: str) -> None:
        """See `Knobs.forget`."""
        self._bindings.forget(key)
        self._words = self._bindings.words()

    def describe(self) -> dict[str, object]:
        """See `Knobs.describe`."""
        return {"devices": self.devices, "bound": self._words, "learning": self._learning}

    def attend(self, session: LiveSession) -> None:
        """See `Remote.attend`."""
        if self._ports.opened != self._opened:  # nobody knows where the knobs of a new device stand
            self._opened = self._ports.opened
            self._knobs.clear()
        for move in _newest(_moves(self._ports.messages())):
            try:
                if self._learning:
                    self._bind(move, session)
                else:
                    self._obey(move, session)
            except (StylizeError, OSError) as error:
                session.view.say(describe_error(error))
                log.warning("MIDI: refused: %s", describe_error(error))

    def _bind(self, move: Move, session: LiveSession) -> None:
        if move.key.startswith("note") and not move.step:
            return  # let go: of a key that was down before
        learned, self._learning = self._learning, ""
        name = self._bindings.bind(move.key, move.channel, parse_target(learned))
        self._words = self._bindings.words()
        self._knobs[name] = _Knob(PickUp(move.step), move.step)
        session.view.say(f"{name} does: {learned}")

    def _obey(self, move: Move, session: LiveSession) -> None:
        found = self._bindings.find(move.key, move.channel)
        if found is None:
            return
        name, target = found
        knob = self._knobs.setdefault(name, _Knob())
        before, knob.step = knob.step, move.step
        one = target.control
        if one.kind == "number":
            self._turn(target, move, knob, session)
        elif target.value or one.kind not in ("style", "choice"):
            if _is_press(move, before):
                self._do(target, target.value or _press_value(target), session)
        elif move.key.startswith("note"):
            if move.step:
                self._do_next(target, session)
        else:
            self._choose(target, move, knob, session)

    def _turn(self, target: Target, move: Move, knob: _Knob, session: LiveSession) -> None:
        """Move a number, once the knob stands where it is; keys set it by how hard they are hit."""
        one = target.control
        is_key = move.key.startswith("note")
        if is_key and not move.step:
            return
        position = one.position_of(self._value_of(target, session))
        if not is_key and not knob.pick_up.moves(move.step, position):
            if not knob.told:
                session.view.say(f"{one.word}: turn the knob to {position:.0%} first")
            knob.told = True
            return
        knob.told = False
        self._do(target, one.value_at(move.step / (_STEPS - 1)), session)
        knob.pick_up.left_at = one.position_of(self._value_of(target, session))

    def _value_of(self, target: Target, session: LiveSession) -> float:
        return float(self._desk.state_of(session)[target.control.name])  # type: ignore[arg-type]

    def _choose(self, target: Target, move: Move, knob: _Knob, session: LiveSession) -> None:
        """One of several, by where the knob stands; a program's number is a choice itself."""
        choices = self._choices(target)
        is_program = move.key == "program"
        choice = move.step if is_program else move.step * len(choices) // _STEPS
        if choice < len(choices) and (is_program or choice != knob.choice):
            knob.choice = choice
            self._do(target, choices[choice], session)

    def _do_next(self, target: Target, session: LiveSession) -> None:
        choices = self._choices(target)
        now = values_of(self._desk.state_of(session)).get(target.control.name)
        place = choices.index(str(now)) + 1 if str(now) in choices else 0
        self._do(target, choices[place % len(choices)], session)

    def _choices(self, target: Target) -> list[str]:
        return list(self._desk.styles if target.control.kind == "style" else target.control.choices)

    def _do(self, target: Target, value: object, session: LiveSession) -> None:
        error = self._desk.carry_out(command_of(target.control, value), session)
        if error is not None:
            raise error

    def close(self) -> None:
        """Give all devices back. May be called twice."""
        self._desk.knobs = None
        self._ports.close()


def open_midi(desk: ControlDesk, wanted: str) -> MidiRemote:
    """The machine's devices with the user's bindings.

    Raises:
        UsageError: mido or python-rtmidi is missing, or the user's file of bindings is not right.
        SourceError: the system has no MIDI, or no device has this name.
    """
    bindings = Bindings(usual_file())
    return MidiRemote(desk, MidiPorts(midi_system(), wanted), bindings)


def _moves(messages: Iterator[Any]) -> Iterator[Move]:
    """What is moved and pressed; all else that MIDI has, such as clocks, is passed over."""
    for message in messages:
        if message.type == "control_change":
            yield Move(f"cc {message.control}", message.channel + 1, message.value)
        elif message.type == "note_on":
            yield Move(f"note {message.note}", message.channel + 1, message.velocity)
        elif message.type == "note_off":
            yield Move(f"note {message.note}", message.channel + 1, 0)
        elif message.type == "program_change":
            yield Move("program", message.channel + 1, message.program)


def _newest(moves: Iterator[Move]) -> list[Move]:
    """Moves between two frames, without those of a knob that went on turning the same way: a flood of a fader
    is few moves. Keys and ends stay, so that no press is lost."""
    found: list[Move] = []
    places: dict[tuple[str, int], int] = {}
    for move in moves:
        place = places.get((move.key, move.channel))
        if move.key.startswith("cc") and place is not None and _same_side(found[place], move):
            found[place] = move
            continue
        places[move.key, move.channel] = len(found)
        found.append(move)
    return found


def _same_side(one: Move, other: Move) -> bool:
    return (one.step >= _PRESSED) == (other.step >= _PRESSED)


def _is_press(move: Move, before: int) -> bool:
    """Whether a key went down: knobs and pedals are keys that are down in the upper half of their way."""
    if move.key.startswith("cc"):
        return before < _PRESSED <= move.step
    return move.key == "program" or move.step > 0


def _press_value(target: Target) -> str | None:
    return "toggle" if target.control.kind in ("switch", "record") else None
