"""MIDI: knobs and keys, as bytes through mido's own ports, control a real show."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mido
import pytest
from midi_boxes import Boxes
from staged_show import SETTINGS, StagedShow, staged
from waiting import eventually

from stylize_live.errors import ConfigError, SourceError, UsageError
from stylize_live.options import PaintingOptions
from stylize_live.rate_limited_log import RateLimitedLog
from stylize_live.remotes import midi_ports, midi_remote
from stylize_live.remotes.midi_bindings import Bindings, parse_target, usual_bindings, usual_file
from stylize_live.remotes.midi_ports import MidiPorts
from stylize_live.remotes.midi_remote import MidiRemote, Move, _newest
from stylize_live.remotes.pick_up import PickUp
from stylize_live.studio.presets import save_preset


@dataclass
class Stage:
    show: StagedShow
    boxes: Boxes
    midi: MidiRemote

    def turn(self, control: int, value: int, channel: int = 0) -> None:
        self.boxes.send("control_change", control=control, value=value, channel=channel)

    def press(self, note: int) -> None:
        self.boxes.send("note_on", note=note, velocity=100)
        self.boxes.send("note_off", note=note)

    def until(self, **wanted: object) -> None:
        def is_so() -> bool:
            return wanted.items() <= dict(self.show.state).items()

        eventually(is_so, f"{wanted}")


@pytest.fixture
def boxes() -> Iterator[Boxes]:
    found = Boxes()
    found.plug("Box")
    yield found
    found.close()


@pytest.fixture
def stage(boxes: Boxes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Stage]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(midi_ports, "_LOOK_SECONDS", 0.01)
    opening = lambda desk: MidiRemote(desk, MidiPorts(boxes, "auto"), Bindings(usual_file()))  # noqa: E731
    with staged(opening) as (show, midi):
        yield Stage(show, boxes, midi)


# ------------------------------------------------------------------ the usual bindings


def test_a_knob_moves_a_number(stage: Stage) -> None:
    stage.turn(1, 127)  # where it is
    stage.turn(1, 0)
    stage.until(strength=0.0)
    stage.turn(1, 64, channel=9)  # any channel
    stage.until(strength=round(64 / 127, 4))


def test_strokes_are_turned_in_doublings(stage: Stage) -> None:
    """The middle of the knob is what is natural, as the slider's is."""
    stage.turn(3, 64)
    stage.until(stroke=round(2 ** (4 * 64 / 127 - 2), 4))
    stage.turn(3, 127)
    stage.until(stroke=4.0)
    stage.turn(3, 0)
    stage.until(stroke=0.25)


def test_pads_choose_styles_and_buttons_switch(stage: Stage) -> None:
    stage.press(37)
    stage.until(style={"second": 1.0})
    stage.boxes.send("program_change", program=2)
    stage.until(style={"third": 1.0})
    stage.press(36)
    stage.until(style={"first": 1.0})
    stage.boxes.send("program_change", program=2)  # the same program once more
    stage.until(style={"third": 1.0})
    stage.turn(46, 127)
    stage.turn(46, 0)
    stage.until(mirror=True)
    stage.turn(46, 127)
    stage.until(mirror=False)
    stage.turn(44, 127)
    stage.until(style={"first": 1.0})


def test_a_recording_begins_and_ends_with_a_button(stage: Stage, tmp_path: Path) -> None:
    eventually(lambda: stage.show.state["has_image"], "an image")
    stage.turn(45, 127)
    stage.turn(45, 0)
    eventually(lambda: stage.show.state["recorded"] is not None, "it is recorded")
    eventually(lambda: stage.show.state["recorded"] and list(tmp_path.iterdir()), "a second of it")
    stage.turn(45, 127)
    stage.until(recorded=None)
    eventually(lambda: list(tmp_path.glob("*.mp4")), "a recording")


def test_a_style_that_is_not_there_is_said_and_nothing_ends(
    stage: Stage, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(midi_remote, "log", RateLimitedLog(logging.getLogger(midi_remote.__name__)))
    stage.press(39)  # the fourth of three
    stage.press(37)
    stage.until(style={"second": 1.0})
    assert "no style '4' is offered here" in caplog.text


def test_every_number_has_a_knob_and_all_that_is_usual_makes_sense() -> None:
    found = usual_bindings()
    assert {
        name.replace("_", "-")
        for name, one in PaintingOptions.model_fields.items()
        if one.annotation is float
    } <= {*found.values()}
    for text in found.values():
        parse_target(text)


# ------------------------------------------------------------------ soft take-over


def test_a_knob_that_stands_elsewhere_does_not_make_a_number_jump(stage: Stage) -> None:
    stage.turn(1, 20)  # strength is 1
    stage.turn(1, 40)
    eventually(lambda: "turn the knob to 100% first" in str(stage.show.state["note"]), "a hint")
    assert stage.show.state["strength"] == 1.0
    stage.turn(1, 126)
    stage.turn(1, 30)
    stage.until(strength=round(30 / 127, 4))


@pytest.mark.parametrize(
    ("steps", "position", "moves"),
    [
        ([64], 0.5, [True]),
        ([62, 63], 0.5, [True, True]),
        ([10, 20, 60, 70], 0.5, [False, False, False, True]),  # past it
        ([100, 30], 0.5, [False, True]),  # the other way
        ([0], 0.0, [True]),
        ([120], 1.0, [False]),
    ],
)
def test_picking_up(steps: list[int], position: float, moves: list[bool]) -> None:
    knob = PickUp()
    found = []
    for step in steps:
        found.append(knob.moves(step, position))
        if found[-1]:
            position = knob.left_at = step / 127
    assert found == moves


def test_a_number_that_another_one_moved_is_let_go() -> None:
    knob = PickUp()
    assert knob.moves(64, 0.5)
    knob.left_at = 64 / 127
    assert knob.moves(70, 64 / 127)
    knob.left_at = 70 / 127
    assert not knob.moves(72, 0.9)
    assert not knob.moves(80, 0.9)
    assert knob.moves(120, 0.9)


def test_a_turn_that_comes_at_once_is_one_move_and_no_press_is_lost() -> None:
    turned = [Move("cc 1", 1, step) for step in (10, 20, 30)]
    assert _newest(iter(turned)) == turned[-1:]
    pressed = [Move("cc 1", 1, step) for step in (127, 0, 127, 0)]
    assert _newest(iter(pressed)) == pressed
    keys = [Move("note 1", 1, step) for step in (90, 0, 90, 0)]
    assert _newest(iter(keys)) == keys


# ------------------------------------------------------------------ learning


HIT = ("note_on", {"note": 5, "velocity": 9})
TURNED = ("control_change", {"control": 99, "value": 0, "channel": 2})


@pytest.mark.parametrize(
    ("name", "move", "then", "found"),
    [
        ("boldness", TURNED, 0, {"boldness": 0.0}),
        ("style", TURNED, 60, {"style": {"second": 1.0}}),
        ("split", HIT, None, {"split": True}),
        ("style third", HIT, None, {"style": {"third": 1.0}}),
        ("style", HIT, None, {"style": {"second": 1.0}}),
        ("preset calm", HIT, None, {"strength": 0.3}),
        ("strength", HIT, None, {"strength": round(9 / 127, 4)}),
    ],
    ids=str,
)
def test_learning(
    stage: Stage,
    name: str,
    move: tuple[str, dict[str, int]],
    then: int | None,
    found: dict[str, Any],
    tmp_path: Path,
) -> None:
    key = "note 5 channel 1" if move == HIT else "cc 99 channel 3"
    save_preset(tmp_path / "calm.toml", SETTINGS, {"strength": 0.3})
    stage.midi.learn(name)
    kind, values = move
    stage.boxes.send(kind, **values)
    eventually(lambda: stage.show.state["midi"]["bound"].get(key) == name, "it is bound")
    assert stage.show.state["midi"]["learning"] == ""
    assert Bindings(usual_file()).words()[key] == name  # and kept
    if then is None:
        stage.boxes.send("note_off", note=5)
        stage.boxes.send(kind, **values)
    else:
        stage.boxes.send(kind, **{**values, "value": 127})
        stage.boxes.send(kind, **{**values, "value": then})
    stage.until(**found)
    stage.midi.forget(key)
    eventually(lambda: key not in stage.show.state["midi"]["bound"], "it is not bound any more")
    assert key not in Bindings(usual_file()).words()


def test_a_usual_binding_gives_way_to_a_learned_one(stage: Stage) -> None:
    stage.midi.learn("stroke")
    stage.turn(1, 64)
    eventually(lambda: stage.show.state["midi"]["bound"].get("cc 1 channel 1") == "stroke", "it is bound")
    assert "cc 1" not in stage.show.state["midi"]["bound"]


def test_learning_what_there_is_not_is_refused(stage: Stage) -> None:
    for name in ("nonsense", "source", "preset", "strength 3", "preset ../x"):
        stage.midi.learn(name)
        assert stage.midi.describe()["learning"] == ""
    stage.midi.learn("strength")
    stage.midi.learn("")
    assert stage.midi.describe()["learning"] == ""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("bindings = 3", "expected a table"),
        ("[bindings]\n'cc 200' = 'strength'", "'cc 200' is no knob or key"),
        ("[bindings]\n'cc 1 channel 17' = 'strength'", "is no knob or key"),
        ("[bindings]\n'cc 1' = 'strenght'", "cc 1: no knob or key can do 'strenght'"),
        ("[bindings]\n'cc 1' = 3", "cc 1: expected the name of a control, got 3"),
        ("[bindings", "not valid TOML"),
        ("\xff", "not valid TOML"),
    ],
)
def test_files_that_are_not_right(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "midi.toml"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(ConfigError, match=words) as caught:
        Bindings(path)
    assert "\n" not in str(caught.value)


# ------------------------------------------------------------------ devices that come and go


def test_a_device_that_vanishes_and_comes_back(stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    stage.boxes.unplug("Box")
    eventually(lambda: not stage.midi.devices, "it is gone")
    stage.boxes.plug("Box")
    eventually(lambda: stage.midi.devices == ["Box"], "it is back")
    eventually(lambda: stage.boxes.plugged["Box"], "it is open")
    stage.press(38)
    stage.until(style={"third": 1.0})
    said = [record.message for record in caplog.records if record.name.endswith("midi_ports")]
    assert said == [
        "the MIDI device Box is gone; it is taken again when it comes back",
        "the MIDI device Box is back",
    ]


def test_two_devices_at_once(stage: Stage) -> None:
    stage.boxes.plug("Pads 24:0")
    eventually(lambda: stage.midi.devices == ["Box", "Pads"], "both are open")
    eventually(lambda: stage.boxes.plugged["Pads 24:0"], "it is open")
    stage.boxes.send("note_on", "Pads 24:0", note=37, velocity=1)
    stage.until(style={"second": 1.0})
    stage.press(38)
    stage.until(style={"third": 1.0})


def test_what_a_box_sends_beside_is_passed_over(stage: Stage) -> None:
    for kind in ("clock", "active_sensing", "pitchwheel", "aftertouch", "sysex", "songpos"):
        stage.boxes.send(kind)
    stage.press(37)
    stage.until(style={"second": 1.0})


def test_names(boxes: Boxes) -> None:
    boxes.plug("Midi Through Port-0")
    with MidiPorts(boxes, "auto") as ports:
        assert ports.names == ["Box"]
    with MidiPorts(boxes, "bO") as ports:
        assert ports.names == ["Box"]
    with pytest.raises(SourceError, match="no MIDI device is called 'Knobs'; connected: Box"):
        MidiPorts(boxes, "Knobs")


def failing(error: Exception) -> Callable[..., Any]:
    def fail(*_: object, **__: object) -> Any:
        raise error

    return fail


def test_a_machine_without_midi(boxes: Boxes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(boxes, "get_input_names", failing(OSError("no sequencer")))
    with pytest.raises(SourceError, match="MIDI does not work on this machine: no sequencer"):
        MidiPorts(boxes, "auto")


def test_a_device_that_another_program_has(
    boxes: Boxes, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(midi_ports, "seldom", midi_ports.RateLimitedLog(midi_ports.log))
    monkeypatch.setattr(boxes, "open_input", failing(OSError("busy")))
    with MidiPorts(boxes, "auto") as ports:
        assert not ports.names
    assert "the MIDI device Box cannot be opened: busy" in caplog.text


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mido, "Backend", failing(ImportError("rtmidi")))
    with pytest.raises(UsageError, match=r"--midi needs mido: .*install.* mido python-rtmidi"):
        midi_ports.midi_system()
