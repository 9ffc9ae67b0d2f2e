"""MIDI through the machine's own system and python-rtmidi: a virtual device on JACK's dummy driver.

Needs JACK: `apt-get install jackd2`. Run with

    pytest -m slow tests/remotes/test_midi_jack.py
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator

import mido
import pytest
from staged_show import staged
from waiting import eventually

from stylize_live.remotes import midi_ports
from stylize_live.remotes.midi_bindings import Bindings, usual_file
from stylize_live.remotes.midi_ports import MidiPorts, midi_system
from stylize_live.remotes.midi_remote import MidiRemote

_PROGRAM = shutil.which("jackd")
_SERVER = "stylize-test"

pytestmark = [pytest.mark.slow, pytest.mark.skipif(_PROGRAM is None, reason="needs jackd")]


@pytest.fixture
def jack(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("JACK_DEFAULT_SERVER", _SERVER)
    monkeypatch.setenv("JACK_NO_START_SERVER", "1")
    monkeypatch.setenv("MIDO_BACKEND", "mido.backends.rtmidi/UNIX_JACK")
    command = [_PROGRAM or "", "--name", _SERVER, "-r", "-d", "dummy"]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as server:

        def is_up() -> bool:
            try:
                mido.Backend(load=True).get_input_names()
            except OSError:
                return False
            return True

        try:
            eventually(is_up, "JACK is up", within=30, every=0.2)
            yield
        finally:
            server.terminate()


def test_a_virtual_device_controls_a_show(
    jack: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(midi_ports, "_LOOK_SECONDS", 0.1)
    opening = lambda desk: MidiRemote(desk, MidiPorts(midi_system(), "auto"), Bindings(usual_file()))  # noqa: E731
    with staged(opening) as (show, midi):
        for style in ("second", "third"):  # the second time, it was pulled and is back
            device = mido.Backend(load=True).open_output("Knobs", virtual=True)
            try:
                eventually(lambda: any("Knobs" in name for name in midi.devices), "it is taken", within=20)
                note = 36 + ["first", "second", "third"].index(style)
                device.send(mido.Message("note_on", note=note, velocity=64))
                eventually(lambda wanted=style: show.state["style"] == {wanted: 1.0}, "the style")  # type: ignore[misc]
                device.send(mido.Message("control_change", control=1, value=127))
                device.send(mido.Message("control_change", control=1, value=40))
                eventually(lambda: show.state["strength"] == round(40 / 127, 4), "the strength")
                show.stylizer.strength = 1.0
            finally:
                device.close()
            eventually(lambda: not midi.devices, "it is gone", within=20)
    said = [record.message for record in caplog.records if record.name.endswith("midi_ports")]
    title = "the MIDI device RtMidiOut Client:Knobs is"
    gone = f"{title} gone; it is taken again when it comes back"
    assert said == [gone, f"{title} back", gone]
