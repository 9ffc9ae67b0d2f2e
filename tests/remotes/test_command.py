"""The commands themselves, without a page: what `live --osc` and `--midi` open, and how they refuse."""

from __future__ import annotations

import json
import socket
import threading
from contextlib import suppress
from pathlib import Path

import pytest
from midi_boxes import Boxes

from stylize_live.cli.app import main
from stylize_live.remotes import midi_remote
from stylize_live.remotes.midi_bindings import usual_file
from stylize_live.remotes.osc_packets import make_message, read_packet

SHOW = ["live", "--no-window", "--source", "test", "--width", "64", "--height", "36", "--device", "cpu"]


@pytest.fixture
def port() -> int:
    """One that is free."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_show_without_a_page(
    port: int,
    tiny_style: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A knob changes it, OSC tells of that, and its report is JSON alone."""
    monkeypatch.chdir(tmp_path)
    boxes = Boxes()
    boxes.plug("Pads")
    monkeypatch.setattr(midi_remote, "midi_system", lambda: boxes)
    ending = threading.Event()
    heard: list[tuple[str, list[object]]] = []

    def play() -> None:
        """Turn a knob up and down, and hear by OSC what became of it."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line, suppress(OSError):
            line.settimeout(0.05)
            while not ending.is_set():
                if boxes.plugged["Pads"] is not None:
                    for step in (0, 64, 127):
                        boxes.send("control_change", "Pads", control=3, value=step)
                line.sendto(make_message("/stylize/get", "stroke"), ("127.0.0.1", port))
                with suppress(TimeoutError):
                    heard.extend(read_packet(line.recv(4096)))

    thread = threading.Thread(target=play)
    thread.start()
    try:
        options = ["--style", str(tiny_style), "--duration", "2", "--json"]
        assert main([*SHOW, *options, "--osc", str(port), "--midi", "pad"]) == 0
    finally:
        ending.set()
        thread.join()
        boxes.close()
    told = capsys.readouterr()
    assert json.loads(told.out)["shown"] > 0
    assert f"osc: 127.0.0.1:{port}\n" in told.err
    assert "midi: Pads\n" in told.err
    assert ("/stylize/stroke", [4.0]) in heard


@pytest.mark.parametrize(
    ("options", "code", "words"),
    [
        (["--osc", "nowhere"], 2, "'nowhere' is not a valid address for --osc; expected a port or host:port"),
        (["--osc", "192.0.2.77:9730"], 5, "cannot take OSC at 192.0.2.77:9730: "),
        (["--midi", "Knobs"], 4, "no MIDI device is called 'Knobs'; connected: Pads"),
    ],
)
def test_what_cannot_be_opened(
    options: list[str],
    code: int,
    words: str,
    tiny_style: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    boxes = Boxes()
    boxes.plug("Pads")
    monkeypatch.setattr(midi_remote, "midi_system", lambda: boxes)
    assert main([*SHOW, "--style", str(tiny_style), *options]) == code
    assert words in capsys.readouterr().err.replace("\n", " ")


def test_bindings_that_are_not_right_end_it(tiny_style: Path, capsys: pytest.CaptureFixture[str]) -> None:
    usual_file().parent.mkdir(parents=True)
    usual_file().write_text("[bindings]\n'cc 1' = 'strenght'\n", encoding="utf-8")
    assert main([*SHOW, "--style", str(tiny_style), "--midi"]) == 2
    assert "no knob or key can do 'strenght'" in " ".join(capsys.readouterr().err.split())
