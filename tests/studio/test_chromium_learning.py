"""A painting on the page from beginning to end, all of it real: brought, painted in, learnt, kept, removed.

Needs Chromium: `apt-get install chromium`. Takes minutes. Run with

    pytest -m slow tests/studio/test_chromium_learning.py

Screenshots are left as those of test_chromium.py.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from chromium import Chromium, Tab
from places import ROOT, SAMPLES
from waiting import eventually

_PROGRAM = shutil.which("chromium") or shutil.which("google-chrome")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.posix,
    pytest.mark.timeout(3600),
    pytest.mark.skipif(_PROGRAM is None, reason="needs Chromium"),
]

DESKTOP, PHONE = (1440, 900), (390, 844)
PAINTING = SAMPLES / "desert.jpg"
STYLE = "paintings/desert.jpg"
CARD = f"[data-style='{STYLE}']"
LONG = 800.0  # seconds for a few steps, where others are at work


@contextmanager
def studio(folder: Path) -> Iterator[str]:
    """The program in a folder of its own; its page's address."""
    (folder / "data").mkdir()
    words = ["studio", "--source", str(SAMPLES / "flower.mp4"), "--loop", "--size", "180p", "--port", "0"]
    process = subprocess.Popen(
        [sys.executable, "-m", "stylize_live", *words],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT), "XDG_DATA_HOME": str(folder / "data")},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line.startswith("studio: "), line + process.communicate()[1]
        yield line.removeprefix("studio: ").strip()
    finally:
        process.send_signal(signal.SIGINT)
        said = process.communicate(timeout=60)[1]
        (folder / "said.txt").write_text(said)
    assert process.returncode == 0
    assert "Traceback" not in said


def words(tab: Tab, pattern: str) -> str:
    """Wait for what the page says of learning."""
    text = "document.getElementById('learning-now').textContent"
    return str(tab.until(f"/{pattern}/.test({text}) && {text}", LONG))


def is_shown(name: str) -> str:
    return f"document.getElementById('{name}').checkVisibility()"


def keep(tab: Tab, name: str, tmp_path: Path) -> None:
    folder = Path(os.environ.get("SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"learning-{name}.png").write_bytes(tab.image())


def into_view(tab: Tab) -> None:
    tab.run("document.getElementById('learning-card').scrollIntoView({block: 'center'})")


def test_a_painting_from_its_first_look_to_its_end(tmp_path: Path) -> None:
    with Chromium(Path(_PROGRAM or "")) as browser, studio(tmp_path) as url:
        tab = browser.open(url, DESKTOP)
        tab.until("document.getElementById('image').width > 16", LONG)
        assert not tab.run(is_shown("learning-card"))  # a shipped style has nothing to learn

        tab.pick(PAINTING, ".own input")
        tab.until(f"document.querySelector(\"{CARD}\")?.classList.contains('chosen')", LONG)
        tab.until(is_shown("learning-card"), LONG)
        assert words(tab, "first look")
        keep(tab, "1-first-look", tmp_path)

        tab.click("#frozen")  # what is learnt has the machine then
        tab.click("#learning")
        words(tab, "Getting ready")
        tab.settle()
        keep(tab, "2-getting-ready", tmp_path)
        words(tab, "[0-9]+ % learnt")
        tab.until(is_shown("undo_learning"), LONG)  # better weights are shown
        tab.until("document.getElementById('learning-bar').getAttribute('aria-valuenow') > 0", LONG)
        keep(tab, "3-learning", tmp_path)
        phone = browser.open(url, PHONE, phone=True)  # from now on in front
        words(phone, "[0-9]+ % learnt")
        into_view(phone)
        phone.settle()
        keep(phone, "4-phone", tmp_path)
        for page in (tab, phone):
            assert page.run("document.documentElement.scrollWidth <= innerWidth"), "wider than the screen"

        phone.click("#learning")
        words(phone, "^Paused at [0-9]+ %$")
        phone.settle()
        keep(phone, "5-phone-paused", tmp_path)
        phone.click("#learning")
        words(phone, "[0-9]+ % learnt")

        tab.call("Page.bringToFront")
        tab.click("#frozen")
        tab.click("#keep-name")
        tab.call("Input.insertText", text="My desert")
        tab.click("#keep button")
        kept = tmp_path / "data" / "stylize-live" / "styles" / "my-desert.safetensors"
        eventually(kept.exists, "the style that is kept", within=LONG)
        tab.until("document.getElementById('toast').textContent.includes('my-desert')", LONG)
        keep(tab, "6-kept", tmp_path)
        tab.until("document.querySelector('[data-style=my-desert]') !== null", LONG)  # a style like any other
        eventually(kept.with_name("my-desert-report.html").exists, "its report", within=LONG)

        tab.click("#undo_learning")
        words(tab, "Paused at [0-9]+ %, showing the first look")
        tab.until(f"!{is_shown('undo_learning')}")
        keep(tab, "7-undone", tmp_path)
        tab.click("#learning")
        tab.until(is_shown("undo_learning"), LONG)  # what was learnt is there again
        tab.click("#end_learning")
        words(tab, "Ended at [0-9]+ %$")
        keep(tab, "8-ended", tmp_path)
        assert tab.run("document.getElementById('learning').textContent") == "Go on"
        tab.click("#learning")
        words(tab, "[0-9]+ % learnt")

        tab.click(f"{CARD} .remove")
        tab.until(f"document.querySelector(\"{CARD} .remove\").textContent === 'Remove?'")
        tab.click(f"{CARD} .remove")
        tab.until(f'!document.querySelector("{CARD}")', LONG)
        tab.until(f"!{is_shown('learning-card')}", LONG)
        keep(tab, "9-removed", tmp_path)
        assert not (tmp_path / STYLE).exists()
        shown = "document.getElementById('fps').textContent"
        tab.until(f"Number({shown}) > 0", LONG)
        for page in (tab, phone):
            assert page.said == []
    assert list((tmp_path / "paintings").iterdir()) == []
