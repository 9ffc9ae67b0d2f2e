"""The studio in a real browser: every control, several pages in step, desktop and phone.

Needs Chromium: `apt-get install chromium`. Run with

    pytest -m slow tests/studio/test_chromium.py

Screenshots are left in pytest's temporary folder; set SCREENSHOTS to have them elsewhere.
"""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from chromium import Chromium, Tab
from fake_sounddevice import FakeSystem
from PIL import Image
from places import SAMPLES
from studio_show import SETTINGS, Show, running
from waiting import eventually

from stylize_live.config import LiveSettings, merge_config
from stylize_live.live.hotkeys import KEYS
from stylize_live.live.sound import LiveSound, SoundChoice
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.image.io import read_image
from stylize_live.media.image.jpeg import encode_jpeg
from stylize_live.media.sources.no_source import NoSource
from stylize_live.sound_rules import SoundRules
from stylize_live.studio import paintings
from stylize_live.studio.backgrounds import FOLDER
from stylize_live.studio.paintings import Paintings

_PROGRAM = shutil.which("chromium") or shutil.which("google-chrome")

pytestmark = [pytest.mark.slow, pytest.mark.skipif(_PROGRAM is None, reason="needs Chromium")]

PHONE = (390, 844)
SAMPLE = SAMPLES / "flower.mp4"


@pytest.fixture(scope="module")
def browser() -> Iterator[Chromium]:
    with Chromium(Path(_PROGRAM or "")) as found:
        yield found


@pytest.fixture
def browser_with_camera(tmp_path: Path) -> Iterator[Chromium]:
    """A browser whose camera plays the sample clip, again and again."""
    clip = make_mjpeg(tmp_path / "clip.mjpeg")
    options = ("--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream")
    with Chromium(Path(_PROGRAM or ""), *options, f"--use-file-for-fake-video-capture={clip}") as found:
        yield found


def make_mjpeg(path: Path) -> Path:
    with VideoReader(SAMPLE) as reader:
        path.write_bytes(b"".join(encode_jpeg(frame.pixels, longest=640) for frame in reader))
    return path


@pytest.fixture
def show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Show]:
    monkeypatch.chdir(tmp_path)
    with running(SETTINGS.model_copy(update={"width": 640, "height": 360, "fps": 30})) as found:
        yield found


@pytest.fixture
def tab(browser: Chromium, show: Show) -> Iterator[Tab]:
    yield from opened(browser, show.studio.url)


def opened(browser: Chromium, url: str, size: tuple[int, int] = (1440, 900)) -> Iterator[Tab]:
    """A page that shows a frame; in the end it must have complained of nothing."""
    found = browser.open(url, size, phone=size == PHONE)
    found.until("document.getElementById('image').width > 16")
    yield found
    try:
        assert found.said == []
        assert found.run("document.documentElement.scrollWidth <= innerWidth"), "wider than the screen"
        foreign = [url for url in found.requests if "://" in url and "://127.0.0.1:" not in url]
        assert foreign == []
    finally:
        found.leave()


def pressed(selector: str) -> str:
    return f"document.querySelector('{selector}').getAttribute('aria-pressed') === 'true'"


def middle(x: str, y: str = "0.5") -> str:
    """Script: colour of the shown frame at a place, as shares of its width and height."""
    return (
        "(() => { const c = document.getElementById('image');"
        "const pen = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });"
        f"pen.drawImage(c, {x} * c.width, {y} * c.height, 1, 1, 0, 0, 1, 1);"
        "return [...pen.getImageData(0, 0, 1, 1).data].slice(0, 3) })()"
    )


def unfold(tab: Tab, group: str) -> None:
    tab.click(f"#{group}-card > summary")
    tab.until(f"document.getElementById('{group}-card').open")


def keep(tab: Tab, name: str, tmp_path: Path) -> None:
    folder = Path(os.environ.get("SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"studio-{name}.png").write_bytes(tab.image())


def test_the_image_moves_and_everything_is_there(tab: Tab, show: Show, tmp_path: Path) -> None:
    first = tab.run(middle("0.25"))
    tab.until(f"String({middle('0.25')}) !== '{','.join(map(str, first))}'")
    tab.until("document.querySelectorAll('.style img').length >= 3")
    tab.until("Number(document.getElementById('fps').textContent) > 1")
    tab.until("Number(document.getElementById('age').textContent) > 0")
    assert tab.run("document.getElementById('source-name').textContent") == "Test pattern"
    assert tab.run("document.getElementById('bare').textContent") == f"http://127.0.0.1:{show.port}/bare"
    assert tab.run("document.querySelectorAll('.style').length") == 3
    keep(tab, "desktop", tmp_path)


@pytest.mark.parametrize(
    ("slider", "setting", "value"),
    [
        ("strength", "strength", 0.5),
        ("boldness", "boldness", 0.5),
        ("stroke", "stroke", 1.0),
        ("steadiness", "steadiness", 0.5),
    ],
)
def test_sliders(tab: Tab, show: Show, slider: str, setting: str, value: float) -> None:
    start = {"strength": 0.98, "boldness": 0.98, "stroke": 0.5, "steadiness": 0.79}[slider]
    tab.drag(f"#{slider}", start, 0.2)
    tab.until(f"document.getElementById('{slider}').value !== null")
    tab.drag(f"#{slider}", 0.2, 0.5)
    tab.settle()
    assert getattr(show.stylizer, setting) == pytest.approx(value, abs=0.06)


@pytest.mark.parametrize("name", ["mirror", "split", "frozen"])
def test_switches_and_their_keys(tab: Tab, name: str) -> None:
    tab.click(f"#{name}")
    tab.until(pressed(f"#{name}"))
    tab.run("document.activeElement.blur()")
    tab.key({"mirror": "m", "split": "s", "frozen": " "}[name])
    tab.until(f"!({pressed(f'#{name}')})")


def test_split_is_seen(tab: Tab) -> None:
    tab.click("#frozen")
    tab.until(pressed("#frozen"))
    painted = tab.run(middle("0.2"))
    tab.click("#split")
    wanted = [255 - level for level in painted]  # the fake stylizer inverts
    tab.until(f"{middle('0.2')}.every((v, i) => Math.abs(v - {wanted}[i]) < 12)")


def test_boldness_by_keys_and_where_there_is_none(tab: Tab, show: Show) -> None:
    tab.until("document.getElementById('boldness-out').textContent === '100 %'")
    for key in "--=":
        tab.key(key)
    tab.until("document.getElementById('boldness-out').textContent === '90 %'")
    show.stylizer.has_boldness = False
    tab.until("document.getElementById('boldness').disabled")
    tab.key("-")
    tab.settle()
    assert tab.run("document.getElementById('boldness-out').textContent") == "not in this style"
    assert show.stylizer.boldness == 0.9


def test_what_is_painted_stands_below_the_image(tab: Tab, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tab.run("document.getElementById('painting').hidden")
    words = "painted at 288 of 720 lines: the processor is full"
    monkeypatch.setattr("stylize_live.live.pipeline._LivePipeline.painting", words)
    tab.until(f"document.getElementById('painting').textContent === '{words}'")
    gap = tab.run(
        "document.getElementById('painting').getBoundingClientRect().top"
        "- document.getElementById('stage').getBoundingClientRect().bottom"
    )
    assert 0 < gap < 24


def test_the_keys_are_shown_and_do_as_in_the_window(tab: Tab, show: Show, tmp_path: Path) -> None:
    tab.key("?")
    tab.until("document.getElementById('help').open")
    assert tab.run("document.querySelectorAll('#help dt').length") == len(KEYS) - 1  # all but the last one
    keep(tab, "keys", tmp_path)
    tab.key("m")  # not now
    tab.key("?")
    tab.until("!document.getElementById('help').open")
    tab.key("ArrowRight")
    tab.until("document.querySelector('.style.chosen').dataset.style === 'second'")
    tab.key("3")
    tab.until("document.querySelector('.style.chosen').dataset.style === 'third'")
    for key in ("[", ".", "t"):
        tab.key(key)
    tab.until("document.getElementById('strength-out').textContent === '90 %'")
    tab.until("document.getElementById('stroke-out').textContent.startsWith('1.4')")
    tab.until("document.getElementById('steadiness-out').textContent === 'off'")
    assert not tab.run(pressed("#mirror"))
    tab.key("h")
    wide = "document.getElementById('stage').getBoundingClientRect().width === innerWidth"
    tab.until(f"{wide} && !document.querySelector('aside').checkVisibility()")
    keep(tab, "alone", tmp_path)
    tab.key("Escape")
    tab.until("document.querySelector('aside').checkVisibility()")


def test_keep_colours(tab: Tab, show: Show) -> None:
    tab.click("#keep_colors")
    tab.until("document.getElementById('keep_colors').checked")
    tab.settle()
    assert show.stylizer.keep_colors


def test_styles_and_blends(tab: Tab, show: Show, tmp_path: Path) -> None:
    tab.click(".style[data-style=second] > button")
    tab.until("document.querySelector('.style.chosen').dataset.style === 'second'")
    tab.click(".style[data-style=third] .mix")
    tab.until("!document.getElementById('blend-row').hidden")
    tab.settle()
    assert show.stylizer.style == "second:0.5,third:0.5"
    tab.drag("#blend", 0.5, 0.25)
    tab.settle()
    shares = dict(part.split(":") for part in show.stylizer.style.split(","))
    assert float(shares["third"]) == pytest.approx(0.75, abs=0.06)
    keep(tab, "blend", tmp_path)
    tab.click(".style[data-style=third] .mix")
    tab.until("document.getElementById('blend-row').hidden")
    tab.run("document.activeElement.blur()")
    tab.key("1")
    tab.until("document.querySelector('.style.chosen').dataset.style === 'first'")
    tab.settle()
    assert show.stylizer.style == "first"


def test_snapshot_record_preset_and_source(tab: Tab, tmp_path: Path) -> None:
    tab.click("#snapshot")
    tab.until("document.getElementById('toast').textContent.startsWith('saved first')")
    tab.click("#record")
    tab.until("document.getElementById('record-out').textContent === '0:01'")
    tab.until("document.getElementById('mark').checkVisibility()")
    keep(tab, "recording", tmp_path)
    tab.click("#record")
    tab.until("document.getElementById('record-out').textContent === 'Record'")
    tab.until("document.getElementById('mark').hidden")
    tab.run("document.getElementById('preset-name').focus()")
    tab.call("Input.insertText", text="evening")
    tab.click("#preset button")
    tab.until("document.getElementById('toast').textContent.includes('--config evening.toml')")
    assert merge_config(LiveSettings(), tmp_path / "evening.toml").source == "test"
    assert len([*tmp_path.glob("first-*.png"), *tmp_path.glob("first-*.mp4")]) == 2
    tab.until("document.querySelector('#presets li button')?.textContent === 'evening'")
    tab.click("#mirror")
    tab.until(pressed("#mirror"))
    tab.click("#presets button[aria-label='Rename evening']")
    assert tab.run("document.getElementById('preset-name').value") == "evening"
    tab.call("Input.insertText", text="night")
    keep(tab, "preset", tmp_path)
    tab.click("#preset button")
    tab.until("document.querySelector('#presets li button')?.textContent === 'night'")
    tab.click("#presets button")
    tab.until(f"!({pressed('#mirror')})")
    (tmp_path / "night.toml").rename(tmp_path / "evening.toml")
    tab.run(
        "(() => { const s = document.getElementById('source'); s.value = 'test';"
        "s.dispatchEvent(new Event('change')); })()"
    )
    tab.until("document.getElementById('toast').textContent !== 'opening Test pattern'")
    tab.click("#outputs-card > summary")
    tab.click("#copy")
    tab.until("document.getElementById('copy').textContent === 'Copied'")


def checked(name: str) -> str:
    return f"document.getElementById('{name}').checked"


def told(name: str) -> str:
    return f"document.getElementById('{name}-place').textContent"


def pick(tab: Tab, name: str, value: str) -> None:
    """Choose in a list, as a person does."""
    tab.run(
        f"(() => {{ const s = document.getElementById('{name}'); s.value = '{value}';"
        "if (s.value !== '" + value + "') throw Error([...s.options].map((o) => o.value));"
        "s.dispatchEvent(new Event('change')); })()"
    )


def test_outputs_are_switched(browser: Chromium, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("pyvirtualcam.camera.BACKENDS", {})
    with running(SETTINGS.model_copy(update={"width": 640, "height": 360, "stream": "0"})) as show:
        for tab in opened(browser, show.studio.url):
            for phone in opened(browser, show.studio.url, PHONE):
                assert not tab.run(checked("stream"))
                for one in (tab, phone):
                    unfold(one, "outputs")
                tab.click("#stream")
                tab.until(f"{checked('stream')} && {told('stream')}.startsWith('tcp://127.0.0.1:')")
                phone.until(checked("stream"))  # on all pages
                phone.click("#stream")
                tab.until(f"!({checked('stream')})")
                assert tab.run("document.getElementById('stream-place').hidden")
                phone.click("#virtual_camera")
                tab.until(f"{told('virtual_camera')}.includes('no virtual camera')")
                phone.until(f"!({checked('virtual_camera')})")  # it goes back, and says why
                assert phone.run("document.getElementById('virtual_camera-place').checkVisibility()")
                # What is long leaves the frame and its tools in view.
                assert phone.run("document.getElementById('toast').getBoundingClientRect().height < 100")
                tab.click("#outputs-card > summary")
                folded = "document.querySelector('#outputs-card > summary .now')"
                tab.until(f"{folded}.textContent === 'Virtual camera failed' && {folded}.checkVisibility()")
                phone.run("document.getElementById('virtual_camera-place').scrollIntoView({block: 'end'})")
                phone.settle()
                keep(phone, "outputs-phone", tmp_path)
                keep(tab, "outputs", tmp_path)


def test_size_and_microphone_are_picked(
    browser: Chromium, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("stylize_live.studio.microphones.list_microphones", lambda: {"3": "USB Mic"})
    with running(SETTINGS.model_copy(update={"width": 640, "height": 360})) as show:
        for tab in opened(browser, show.studio.url):
            pick(tab, "resolution", "960x540")
            tab.until("document.getElementById('size').textContent.startsWith('960 ')")
            assert tab.run("document.getElementById('lines').disabled")  # this stylizer has no lines
            tab.until("document.getElementById('microphone').options.length === 3")
            assert tab.run("document.getElementById('microphone').options[0].text") == "No sound"
            pick(tab, "microphone", "3")
            tab.settle()
            assert tab.run("document.getElementById('microphone').value") == "3"


def test_without_a_camera_a_source_is_chosen(browser: Chromium, tmp_path: Path) -> None:
    nothing = NoSource((640, 360), "no camera: choose a source")
    with running(SETTINGS.model_copy(update={"source": "7"}), nothing) as show:
        phone = browser.open(show.studio.url, PHONE, phone=True)
        phone.until("document.getElementById('choose').checkVisibility()")
        title = "document.getElementById('choose-title').textContent"
        assert phone.run(title) == "no camera: choose a source"
        no_source = "document.getElementById('dot').classList.contains('down')"
        assert phone.run(no_source)
        phone.settle()
        keep(phone, "no-source", tmp_path)
        names = "[...document.getElementById('choices').children].map((e) => e.textContent)"
        place = phone.run(names).index("Test pattern") + 1
        phone.click(f"#choices button:nth-child({place})")
        phone.until("document.getElementById('choose').hidden")
        phone.until("Number(document.getElementById('fps').textContent) > 1")
        assert not phone.run(no_source)
        assert phone.said == []
        phone.leave()


def test_what_was_saved_is_played_and_downloaded(
    browser: Chromium, tab: Tab, show: Show, tmp_path: Path
) -> None:
    assert not tab.run("document.querySelector('.saved').checkVisibility()")
    tab.click("#record")
    tab.until("document.getElementById('record-out').textContent === '0:02'")
    tab.click("#record")
    tab.until("document.querySelectorAll('#saved li').length === 1")
    tab.click("#snapshot")
    tab.until("document.querySelectorAll('#saved li').length === 2")
    tab.until("document.querySelector('#saved li small').textContent.includes('KB')")
    tab.click("#saved li:nth-child(1) button")
    tab.until("document.querySelector('#player img').naturalWidth === 640")
    tab.click("#player .close")
    for phone in opened(browser, show.studio.url, PHONE):
        phone.until("document.querySelectorAll('#saved li').length === 2")
        phone.settle()
        phone.click("#saved li:nth-child(2) button")
        phone.until("document.querySelector('#player video').currentTime > 0.5")
        phone.run("document.querySelector('#player video').currentTime = 1.5")  # by a request for a part
        phone.until("document.querySelector('#player video').readyState >= 2")
        keep(phone, "player", tmp_path)
        link = phone.run("document.querySelector('#player a').download")
        assert link == phone.run("document.querySelector('#player .title').textContent")
        assert (tmp_path / link).exists()
        phone.click("#player .close")
        phone.until("!document.getElementById('player').open")


def test_two_pages_stay_in_step(browser: Chromium, tab: Tab, show: Show) -> None:
    for other in opened(browser, show.studio.url, PHONE):
        tab.click("#mirror")
        other.until(pressed("#mirror"))
        other.drag("#strength", 0.97, 0.4)
        tab.until("Number(document.getElementById('strength').value) < 0.5")


def test_on_a_phone(browser: Chromium, show: Show, tmp_path: Path) -> None:
    for phone in opened(browser, show.studio.url, PHONE):
        phone.until("document.querySelectorAll('.style img').length >= 3")
        keep(phone, "phone", tmp_path)
        bottom = "document.getElementById('image').getBoundingClientRect().bottom"
        assert phone.run(f"document.querySelector('.tools').getBoundingClientRect().top >= {bottom}")
        small = phone.run(
            "[...document.querySelectorAll('button, input, select')].filter((e) => e.offsetParent &&"
            "(e.role === 'switch' ? e.parentElement : e).getBoundingClientRect().height < 28)"
            ".map((e) => e.id || e.className)"  # of a switch, the label is the target
        )
        assert small == []
        assert phone.run("document.querySelector('.stage-below').checkVisibility()")
        phone.run("scrollTo(0, 2000)")
        phone.click("#keep_colors")
        phone.until("document.getElementById('keep_colors').checked")
        phone.run("scrollTo(0, 2000)")
        phone.settle()
        keep(phone, "phone-below", tmp_path)
        assert phone.run("document.getElementById('stage').getBoundingClientRect().top") == 0


def test_the_browser_source_is_the_image_alone(browser: Chromium, show: Show, tmp_path: Path) -> None:
    for bare in opened(browser, show.studio.bare_url, (1280, 720)):
        first = bare.run(middle("0.5"))
        bare.until(f"String({middle('0.5')}) !== '{','.join(map(str, first))}'")
        box = bare.run("JSON.stringify(document.getElementById('image').getBoundingClientRect())")
        assert '"width":1280,"height":720' in box
        assert bare.run("getComputedStyle(document.body).backgroundColor") == "rgba(0, 0, 0, 0)"
        keep(bare, "bare", tmp_path)


def test_the_browser_source_is_transparent_around_people(
    browser: Chromium, show: Show, tmp_path: Path
) -> None:
    """As OBS shows it: over what lies below, here a page of one color."""
    show.stylizer.background = "transparent"  # the left half of each frame is
    for bare in opened(browser, show.studio.bare_url, (640, 360)):
        bare.run("document.documentElement.style.background = 'rgb(255, 0, 200)'")

        def is_cut_out(tab: Tab = bare) -> bool:
            with Image.open(io.BytesIO(tab.image()), formats=("PNG",)) as image:
                far = np.abs(np.array(image.convert("RGB")).astype(int) - (255, 0, 200)).max(2)
            return bool(far[:, :300].max() <= 2 < far[:, 340:].min())

        eventually(is_cut_out, "the left half shows the page", within=20, every=0.2)
        keep(bare, "bare-transparent", tmp_path)
        show.stylizer.background = ""
        eventually(lambda check=is_cut_out: not check(), "all of the image is back", within=20, every=0.2)


def test_you_and_the_background(browser: Chromium, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "desert.jpg").write_bytes((SAMPLES / "desert.jpg").read_bytes())
    with running(SETTINGS.model_copy(update={"width": 640, "height": 360, "fps": 30})) as show:
        for tab in opened(browser, show.studio.url):
            tab.click('[data-choice] [data-word="person"]')
            tab.until(pressed('[data-word="person"]'))
            assert show.stylizer.paint == "person"
            tab.until("document.querySelectorAll('[data-picker=styles] img').length === 3")
            tab.click('[data-picker=styles] [data-value="second"]')
            tab.until(pressed('[data-picker=styles] [data-value="second"]'))
            assert show.stylizer.background_style == "second"
            tab.until("document.querySelector('[data-picker=backgrounds] img').naturalWidth === 168")
            tab.click('[data-picker=backgrounds] [data-value="desert.jpg"]')
            tab.until(pressed('[data-picker=backgrounds] [data-value="desert.jpg"]'))
            assert show.stylizer.background == str(Path(FOLDER) / "desert.jpg")
            keep(tab, "layers", tmp_path)
            color = "document.querySelector('[data-picker=backgrounds] input')"
            tab.run(f"{color}.value = '#123456'; {color}.dispatchEvent(new Event('input'))")
            tab.until(f"{color}.parentElement.classList.contains('chosen')")
            assert show.stylizer.background == "#123456"
            tab.click('[data-picker=backgrounds] [data-value="transparent"]')
            tab.until("document.getElementById('stage').classList.contains('transparent')")
            tab.run("document.activeElement.blur()")
            tab.key("b")
            tab.until(pressed('[data-word="background"]'))


def test_files_are_brought(browser: Chromium, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(paintings, "look_at", read_image)
    painting = tmp_path / "sun flowers.jpg"
    painting.write_bytes((SAMPLES / "desert.jpg").read_bytes())
    style = "paintings/sun flowers.jpg"
    card = f"[data-style='{style}']"
    with running(SETTINGS.model_copy(update={"width": 640, "height": 360, "fps": 30})) as show:
        for tab in opened(browser, show.studio.url):
            tab.until("document.querySelectorAll('.style img').length >= 3")
            tab.carry(painting, "#image", drop=False)
            tab.until("document.querySelector('.for-paintings').checkVisibility()")
            keep(tab, "dragged", tmp_path)
            tab.until("!document.querySelector('.for-paintings').checkVisibility()")  # it went elsewhere
            tab.carry(painting, "#image")
            tab.until(f"document.querySelector(\"{card}\")?.classList.contains('chosen')")
            assert show.stylizer.style == style
            tab.until(f'document.querySelector("{card} img")?.naturalWidth === 360')
            assert tab.run("document.getElementById('coming').hidden")
            keep(tab, "brought", tmp_path)
            tab.click(f"{card} .remove")
            tab.until(f"document.querySelector(\"{card} .remove\").textContent === 'Remove?'")
            tab.click(f"{card} .remove")
            tab.until(f'!document.querySelector("{card}")')
            assert show.stylizer.style == "third"
            assert not (tmp_path / style).exists()
            # On the group, and of videos anywhere, it stands behind people.
            tab.carry(painting, "#layers-card")
            behind = "document.querySelector('[data-picker=backgrounds] .chosen')?.dataset.value"
            tab.until(f"{behind} === 'sun flowers.jpg'")
            tab.pick(SAMPLE, "[data-picker=backgrounds] .bring input")
            tab.until(f"{behind} === 'flower.mp4'")
            tab.pick(painting, ".own input")
            tab.until(
                "document.querySelector('.style.chosen')?.dataset.style === 'paintings/sun flowers 2.jpg'"
            )


def test_files_that_are_refused_are_said(
    browser: Chromium, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    toast = "document.getElementById('toast').textContent"
    (tmp_path / "a.jpg").write_bytes(b"nothing")
    (tmp_path / "a.pdf").write_bytes(b"%PDF-1.7")
    monkeypatch.setattr(Paintings, "most_bytes", 2**20)
    (tmp_path / "large.png").write_bytes(bytes(2**20 + 1))
    monkeypatch.setattr(paintings, "look_at", read_image)
    with running(SETTINGS.model_copy(update={"width": 640, "height": 360, "fps": 30})) as show:
        for tab in opened(browser, show.studio.url, PHONE):
            for name, words in (
                ("a.pdf", "This is no image."),
                ("large.png", "It may have 1 MB at most."),
                ("a.jpg", "Not an image that can be read"),
            ):
                tab.pick(tmp_path / name, ".own input")
                tab.until(f"{toast}.startsWith('{name}: {words}')")
            keep(tab, "refused", tmp_path)
            assert "415" in tab.said.pop()  # Chromium says so beside the page
            tab.call(
                "Network.emulateNetworkConditions",
                offline=False,
                latency=0,
                downloadThroughput=-1,
                uploadThroughput=60_000,
            )
            (tmp_path / "slow.png").write_bytes(bytes(2**19))
            tab.pick(tmp_path / "slow.png", ".own input")
            tab.until("/^slow.png, [1-9][0-9]? %$/.test(document.querySelector('#coming span').textContent)")
            keep(tab, "coming", tmp_path)
            tab.click("#coming button")
            tab.until(f"{toast} === 'slow.png: Cancelled.'")
            eventually(lambda: not (tmp_path / "paintings").exists())


def test_what_follows_the_sound(browser: Chromium, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    FakeSystem(monkeypatch)
    sound = LiveSound(SoundChoice())
    with running(SETTINGS.model_copy(update={"width": 640, "height": 360}), sound=sound) as show:
        for tab in opened(browser, show.studio.url):
            unfold(tab, "sound")
            rules = "document.querySelectorAll('#sound-rules select')"
            reach = "document.querySelector('#sound-rules .reach')"
            assert not tab.run(f"{reach}.checkVisibility()")
            tab.run(f"{rules}[0].value = 'bass'; {rules}[0].dispatchEvent(new Event('change'))")
            tab.until(f"{reach}.checkVisibility()")
            assert sound.choice.follow == "bass:strength"
            tab.drag("#sound-rules .reach input", 0.62, 0.2)
            eventually(lambda: -0.75 < SoundRules.parse(sound.choice.follow).rules[0].amount < -0.5)
            tab.settle()
            amount = SoundRules.parse(sound.choice.follow).rules[0].amount
            told = f"{reach}.querySelector('output').textContent"
            assert tab.run(told)[1:] == f"{round(-100 * amount)} %"
            tab.run(f"{rules}[4].value = '8'; {rules}[4].dispatchEvent(new Event('change'))")
            tab.until("document.getElementById('sound-row').checkVisibility()")
            for style in ("third", "first"):
                tab.click(f'#sound_styles [data-value="{style}"]')
                tab.until(pressed(f'#sound_styles [data-value="{style}"]'))
            assert sound.choice.styles == "third,first"
            tab.click('#sound_styles [data-value="third"]')
            eventually(lambda: sound.choice.styles == "first")
            keep(tab, "sound", tmp_path)
            tab.click("#sound-card > summary")
            tab.until("document.querySelector('#sound-card .now').textContent === 'Strength, Style'")


def test_groups_stay_as_they_were_left(browser: Chromium, show: Show) -> None:
    folds = "[...document.querySelectorAll('details.card')].filter((one) => one.open).map((one) => one.id)"
    for tab in opened(browser, show.studio.url):
        tab.run("localStorage.clear()")
        tab.go(show.studio.url)
        assert tab.run(folds) == ["layers-card", "latency-card"]
        unfold(tab, "size")
        tab.click("#latency-card > summary")
        tab.until("!document.getElementById('latency-card').open")
        tab.run("document.querySelector('#layers-card > summary').focus()")
        tab.key(" ")
        tab.until("!document.getElementById('layers-card').open")
        tab.settle()
        assert not tab.run(pressed("#frozen"))  # a key of the group, not of the show
        tab.go(show.studio.url)
        tab.until("document.getElementById('image').width > 16")
        assert tab.run(folds) == ["size-card"]
        tab.run("localStorage.setItem('folds', 'no json')")
        tab.go(show.studio.url)
        assert tab.run(folds) == ["layers-card", "latency-card"]
        tab.run("localStorage.clear()")


def choose(tab: Tab, source: str) -> None:
    tab.run(
        f"(() => {{ const s = document.getElementById('source'); s.value = '{source}';"
        "s.dispatchEvent(new Event('change')); })()"
    )


def test_the_browsers_own_camera_comes_back_painted(
    browser_with_camera: Chromium, show: Show, tmp_path: Path
) -> None:
    for tab in opened(browser_with_camera, show.studio.url):
        choose(tab, "browser")
        tab.until("document.getElementById('source-name').textContent === 'A browser\\'s camera'")
        tab.until("document.getElementById('camera').hidden")
        tab.until("Number(document.getElementById('fps').textContent) > 20")
        # The flower is red; inverted, it is cyan. Any other page sees it, too.
        tab.until(f"(([r, g, b]) => g > r + 60 && b > r + 60)({middle('0.47', '0.45')})")
        for other in opened(browser_with_camera, show.studio.url, PHONE):
            other.until(f"(([r, g, b]) => g > r + 60 && b > r + 60)({middle('0.47', '0.45')})")
            assert other.run("document.getElementById('camera').hidden")
        keep(tab, "browser-camera", tmp_path)
        choose(tab, "test")
        tab.until("document.getElementById('source-name').textContent === 'Test pattern'")
        choose(tab, "browser")  # and again
        tab.until("document.getElementById('source-name').textContent === 'A browser\\'s camera'")
        tab.until(f"(([r, g, b]) => g > r + 60 && b > r + 60)({middle('0.47', '0.45')})")
        tab.call("Page.reload")  # the page is new, its camera is off, and a button turns it on
        tab.until("document.readyState === 'complete'")
        tab.until("document.getElementById('camera')?.hidden === false")
        tab.settle()
        keep(tab, "browser-camera-off", tmp_path)
        tab.click("#camera")
        tab.until("document.getElementById('camera').hidden")
        tab.until("Number(document.getElementById('source-fps').textContent.split(' ')[0]) > 20")


def test_a_page_without_a_camera_says_so(browser: Chromium, show: Show, tmp_path: Path) -> None:
    tabs = opened(browser, show.studio.url)
    tab = next(tabs)
    choose(tab, "browser")
    tab.until("/camera/.test(document.getElementById('toast').textContent)")
    tab.settle()
    assert tab.run("document.getElementById('source').value") == "test"
    keep(tab, "no-camera", tmp_path)
    for _ in tabs:
        pass


def test_a_page_from_elsewhere_says_why_it_has_no_camera(browser: Chromium, tmp_path: Path) -> None:
    with running(host="0.0.0.0") as show:
        tab = browser.open(show.studio.url)
        tab.until("document.getElementById('image').width > 16")
        choose(tab, "browser")
        tab.until("document.getElementById('toast').textContent.includes('ssh -L')")
        tab.settle()
        keep(tab, "insecure", tmp_path)
        tab.leave()


def test_an_ended_program_is_said(browser: Chromium, tmp_path: Path) -> None:
    with running() as show:
        tabs = opened(browser, show.studio.url)
        tab = next(tabs)
    tab.until("document.getElementById('veil').textContent.startsWith('The program has ended')")
    keep(tab, "ended", tmp_path)
    tab.leave()
