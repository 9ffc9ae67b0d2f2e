"""The page of OSC and MIDI, in a real browser.

Needs Chromium: `apt-get install chromium`. Run with

    pytest -m slow tests/remotes/test_stage_page.py

Screenshots are left in pytest's temporary folder; set SCREENSHOTS to have them elsewhere.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from chromium import Chromium, Tab
from midi_boxes import Boxes
from studio_show import SETTINGS, Show, running

from stylize_live.live.session import Remote
from stylize_live.remotes.midi_bindings import Bindings, usual_file
from stylize_live.remotes.midi_ports import MidiPorts
from stylize_live.remotes.midi_remote import MidiRemote
from stylize_live.remotes.osc_remote import OscRemote
from stylize_live.studio.control_desk import ControlDesk
from stylize_live.studio.controls import list_controls
from stylize_live.studio.presets import save_preset

_PROGRAM = shutil.which("chromium") or shutil.which("google-chrome")

pytestmark = [pytest.mark.slow, pytest.mark.skipif(_PROGRAM is None, reason="needs Chromium")]

PHONE = (390, 844)


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with Chromium(Path(_PROGRAM or "")) as found:
        yield found


@pytest.fixture
def boxes() -> Iterator[Boxes]:
    found = Boxes()
    found.plug("nanoKONTROL2")
    yield found
    found.close()


@pytest.fixture
def show(boxes: Boxes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Show]:
    monkeypatch.chdir(tmp_path)
    save_preset(tmp_path / "calm.toml", SETTINGS, {"strength": 0.3})
    with ExitStack() as opened:

        def beside(desk: ControlDesk) -> list[Remote]:
            midi = MidiRemote(desk, MidiPorts(boxes, "auto"), Bindings(usual_file()))
            return [opened.enter_context(OscRemote(desk, "0")), opened.enter_context(midi)]

        yield opened.enter_context(running(beside=beside))


def shot(tmp_path: Path, name: str, tab: Tab) -> None:
    (Path(os.environ.get("SCREENSHOTS", tmp_path)) / f"{name}.png").write_bytes(tab.image())


def knobs(target: str) -> str:
    """What is bound in a row, as JavaScript."""
    row = f'[aria-label="Assign a knob or key to {target}"]'
    its_knobs = f"document.querySelector('{row}').parentNode.querySelectorAll('.knob')"
    return f"[...{its_knobs}].map(knob => knob.firstChild.data).join()"


def test_learning_on_the_page(browser: Chromium, show: Show, boxes: Boxes, tmp_path: Path) -> None:
    tab = browser.open(show.studio.url + "stage")
    tab.until("document.querySelectorAll('#controls tr').length")
    addresses = tab.run("[...document.querySelectorAll('#controls code')].map(code => code.textContent)")
    assert addresses == [one.address for one in list_controls().values()]
    tab.until("document.getElementById('osc').textContent.includes('127.0.0.1:')")
    tab.until("document.getElementById('midi').textContent === 'Connected: nanoKONTROL2'")
    tab.until(f"{knobs('strength')} === 'cc 1,cc 16,cc 70'")
    tab.until("document.getElementById('looks').textContent.includes('Preset calm')")

    tab.run("document.querySelector('[aria-label=\"Assign a knob or key to strength\"]').click()")
    tab.until("document.getElementById('midi').textContent.includes('for: strength')")
    shot(tmp_path, "stage-learning", tab)
    boxes.send("control_change", "nanoKONTROL2", control=99, value=64, channel=0)
    tab.until(f"{knobs('strength')} === 'cc 1,cc 16,cc 70,cc 99 channel 1'")
    tab.run("document.querySelector('[aria-label=\"Remove cc 99 channel 1\"]').click()")
    tab.until(f"{knobs('strength')} === 'cc 1,cc 16,cc 70'")

    learn = "document.querySelector('[aria-label=\"Assign a knob or key to style 2\"]')"
    tab.run(f"{learn}.click()")
    tab.until(f"{learn}.getAttribute('aria-pressed') === 'true'")
    tab.run(f"{learn}.click()")
    tab.until(f"{learn}.getAttribute('aria-pressed') === 'false'")

    boxes.send("note_on", "nanoKONTROL2", note=38, velocity=9)
    tab.until("document.querySelector('[data-name=style]').textContent === 'third'")
    shot(tmp_path, "stage", tab)
    tab.close()


def test_on_a_phone(browser: Chromium, show: Show, tmp_path: Path) -> None:
    tab = browser.open(show.studio.url + "stage", PHONE, phone=True)
    tab.until("document.querySelectorAll('#controls tr').length")
    tab.until(f"{knobs('strength')} === 'cc 1,cc 16,cc 70'")
    assert tab.run("document.documentElement.scrollWidth") <= PHONE[0]
    shot(tmp_path, "stage-phone", tab)
    tab.close()


def test_the_studio_leads_there(browser: Chromium, show: Show, tmp_path: Path) -> None:
    tab = browser.open(show.studio.url)
    tab.until("document.querySelectorAll('.style').length")
    shot(tmp_path, "studio", tab)
    tab.run("document.querySelector('.stage-link').click()")
    tab.until("document.querySelectorAll('#controls tr').length")
    tab.close()
