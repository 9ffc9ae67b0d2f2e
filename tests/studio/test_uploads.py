"""Files that pages bring: paintings, and what stands behind people."""

from __future__ import annotations

import errno
import json
import shlex
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import quote

import pytest
from clips import Video
from places import ROOT
from studio_show import SETTINGS, STYLES, Show, get, page, running
from tiny import random_pixels
from waiting import eventually

from stylize_live.config import LiveSettings, merge_config
from stylize_live.errors import StyleError
from stylize_live.media.image.io import Still, read_image, write_image
from stylize_live.studio import backgrounds, paintings, uploads
from stylize_live.studio.backgrounds import Backgrounds
from stylize_live.studio.paintings import Paintings

KINDS = ("backgrounds", "paintings")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the session runs; a painting that can be read can be painted with."""

    def look_at(path: Path) -> None:
        if path.read_bytes() == b"plain":
            raise StyleError(f"{path}: a painting of one colour teaches nothing")
        read_image(path)

    monkeypatch.setattr(paintings, "look_at", look_at)
    folder = tmp_path / "session"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def show(place: Path) -> Iterator[Show]:
    with running(SETTINGS) as found:
        yield found


@pytest.fixture
def image(tmp_path: Path) -> bytes:
    write_image(tmp_path / "a.png", Still(random_pixels(64, 48)))
    return (tmp_path / "a.png").read_bytes()


@pytest.fixture
def video(tmp_path: Path) -> bytes:
    return Video().write(tmp_path / "v.mp4").read_bytes()


def bring(
    port: int, name: str, body: bytes, kind: str = "backgrounds", **headers: str
) -> tuple[int, dict[str, str]]:
    line = HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        given = {"Origin": f"http://127.0.0.1:{port}"} | headers
        line.request("POST", f"/{kind}?name={quote(name, safe='')}", body, given)
        answer = line.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        line.close()


def head(kind: str, length: int, name: str = "a.png") -> bytes:
    """Of a request whose body follows."""
    lines = f"POST /{kind}?name={name} HTTP/1.1\r\nHost: 127.0.0.1\r\nOrigin: http://127.0.0.1\r\n"
    return f"{lines}Content-Length: {length}\r\n\r\n".encode()


def names(folder: Path) -> list[str]:
    """All that is in a folder, hidden things too."""
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


# ------------------------------------------------------------------ what comes of it


def test_a_background_can_be_chosen_at_once(show: Show, place: Path, image: bytes) -> None:
    with page(show.port) as one:
        assert bring(show.port, "My beach.png", image) == (201, {"name": "My beach.png"})
        one.set(background="My beach.png")
        one.until_state(background="My beach.png", backgrounds=["My beach.png"])
    assert (place / "backgrounds" / "My beach.png").read_bytes() == image


def test_a_painting_is_a_style_at_once(show: Show, place: Path, image: bytes) -> None:
    style = "paintings/sun-flowers.png"
    with page(show.port) as one, page(show.port) as other:
        assert bring(show.port, "sun-flowers.png", image, "paintings") == (201, {"name": style})
        one.set(style={style: 1})
        one.until_state(style={style: 1.0})
        other.until(lambda: other.words.get("about", {}).get("styles") == [*STYLES, style])
        about = other.words["about"]
        assert (about["names"][style], about["paintings"]) == ("Sun Flowers", [style])
        # Each style is painted in its turn, the new one next.
        one.until(lambda: style in one.words.get("thumbnails", {}))
        assert get(show.port, f"/thumbnails/{len(STYLES)}.jpg")[0] == 200
        one.say(press="left")
        one.until_state(style={STYLES[-1]: 1.0})
        one.say(press="4")
        one.until_state(style={style: 1.0}, note="4  sun-flowers")
        one.set(style={"second": 0.5, style: 0.5})
        one.until_state(style={"second": 0.5, style: 0.5})
    assert (place / style).read_bytes() == image


def test_what_was_brought_is_there_the_next_time(place: Path, image: bytes) -> None:
    with running(SETTINGS) as show:
        assert bring(show.port, "b.png", image, "paintings")[0] == 201
    with running(SETTINGS) as show, page(show.port) as one:
        one.until(lambda: "about" in one.words)
        assert one.words["about"]["paintings"] == ["paintings/b.png"]
        # What comes later has a later number, whatever it is called.
        assert bring(show.port, "a.png", image, "paintings")[0] == 201
        wanted = [*STYLES, "paintings/b.png", "paintings/a.png"]
        one.until(lambda: one.words["about"]["styles"] == wanted)


def test_a_preset_names_the_painting(show: Show, place: Path, image: bytes) -> None:
    assert bring(show.port, "a.png", image, "paintings")[0] == 201
    with page(show.port) as one:
        one.set(style={"paintings/a.png": 1})
        one.until_state(style={"paintings/a.png": 1.0})
        one.say(save="mine")
        one.until_state(presets=1)
        assert merge_config(LiveSettings(), Path("mine.toml")).style == "paintings/a.png"
        one.set(style={"first": 1})
        one.until_state(style={"first": 1.0})
        one.say(load="mine")
        one.until_state(style={"paintings/a.png": 1.0})


def test_a_painting_is_removed(show: Show, place: Path, image: bytes) -> None:
    style = "paintings/a.png"
    assert bring(show.port, "a.png", image, "paintings")[1] == {"name": style}
    with page(show.port) as one:
        one.set(style={"second": 0.5, style: 0.5}, background_style=style)
        one.until_state(style={"second": 0.5, style: 0.5}, background_style=style)
        one.say(remove=style)
        one.until_state(style={"second": 1.0}, background_style="", note="removed a")
        one.until(lambda: one.words["about"]["styles"] == STYLES)
        assert names(place / "paintings") == []
        assert get(show.port, f"/thumbnails/{len(STYLES)}.jpg")[0] == 404
        # Its name does not come back to mean another painting: pages, and the program, remember by name.
        assert bring(show.port, "a.png", image, "paintings")[1] == {"name": "paintings/a 2.png"}
        one.set(style={"paintings/a 2.png": 1})
        one.until_state(style={"paintings/a 2.png": 1.0})
        one.say(remove="paintings/a 2.png")
        one.until_state(style={STYLES[-1]: 1.0})


def test_nothing_else_is_removed(show: Show, place: Path, image: bytes) -> None:
    assert bring(show.port, "a.png", image, "paintings")[0] == 201
    (place / "paintings" / "notes.txt").touch()
    (place / "b.png").write_bytes(image)
    with page(show.port) as one:
        for name in (
            "first",
            "b.png",
            "../session/b.png",
            "paintings/notes.txt",
            "paintings/../b.png",
            "",
            "a.png",
        ):
            one.say(remove=name)
        one.until(lambda: one.words.get("about", {}).get("paintings"))
        one.say(remove="paintings/a.png")
        one.until(lambda: one.words["about"]["paintings"] == [])
    assert names(place) == ["b.png", "paintings"]
    assert names(place / "paintings") == ["notes.txt"]


@pytest.mark.posix
def test_of_the_folder_only_images_with_plain_names_are_styles(place: Path, image: bytes) -> None:
    folder = place / "paintings"
    folder.mkdir()
    for name in (
        "b.png",
        "A b.JPG",
        "a,b.png",
        "1:2.png",
        ".hidden.png",
        "a@0.5.png",
        "x.txt",
        "y.safetensors",
    ):
        (folder / name).write_bytes(image)
    (folder / "link.png").symlink_to(place.parent / "a.png")
    (folder / "folder.png").mkdir()
    assert Paintings(Path("paintings")).styles == ["paintings/A b.JPG", "paintings/b.png"]
    assert Paintings(Path("none")).styles == []


# ------------------------------------------------------------------ what is taken


def test_kinds_are_told_by_content(show: Show, place: Path, image: bytes, video: bytes) -> None:
    assert bring(show.port, "beach.mp4", image)[1] == {"name": "beach.jpg"}
    assert bring(show.port, "clip.png", video)[1] == {"name": "clip.mp4"}
    assert bring(show.port, "clip", video)[1] == {"name": "clip 2.mp4"}
    before = names(place / "backgrounds")
    for body in (b"", b"nothing", b"#EXTM3U\n/etc/passwd\n", b"<svg/>", image[:200]):
        status, answer = bring(show.port, "beach.png", body)
        assert (status, answer["error"]) == (415, "This is no image or video that can be read here.")
    assert names(place / "backgrounds") == before


def test_what_is_no_painting_is_said_and_leaves_nothing(
    show: Show, place: Path, image: bytes, video: bytes
) -> None:
    for body, words in (
        (b"", "Not an image that can be read"),
        (b"%!PS-Adobe-3.0", "PostScript is not read"),
        (video, "Not an image that can be read"),
        (image[:200], "seems cut off"),
        (b"plain", "A painting of one colour teaches nothing."),
    ):
        status, answer = bring(show.port, "a.png", body, "paintings")
        assert (status, words in answer["error"]) == (415, True), answer
        assert str(place) not in answer["error"]
        assert ".coming" not in answer["error"]
    assert names(place) == []


@pytest.mark.parametrize("kind", KINDS)
def test_heic_is_named(show: Show, place: Path, kind: str) -> None:
    status, answer = bring(show.port, "IMG_1.HEIC", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(99), kind)
    assert status == 415
    assert answer["error"] == "HEIC, as iPhones keep photos, is not read: save or send it as JPEG."
    assert names(place) == []


@pytest.mark.parametrize("kind", KINDS)
def test_no_file_is_written_over(show: Show, place: Path, image: bytes, kind: str) -> None:
    (place / kind).mkdir()
    (place / kind / "a.png").write_bytes(b"mine")
    for wanted in ("a 2.png", "a 3.png"):
        assert bring(show.port, "a.png", image, kind)[1]["name"].rpartition("/")[2] == wanted
    assert (place / kind / "a.png").read_bytes() == b"mine"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../secret.png", "secret.png"),
        ("C:\\Users\\me\\x.png", "x.png"),
        ("..png", "{}.png"),
        ("", "{}.jpg"),
        (".hidden.png", "hidden.png"),
        ("a\0b\n<c>.png", "a_b_c.png"),
        ("x" * 500 + ".png", "x" * 60 + ".png"),
        ("ü" * 500 + ".png", "ü" * 30 + ".png"),
        ("/etc/passwd", "passwd.jpg"),
        ("a,b:0.5@1.png", "a_b_0_5_1.png"),
        ("con.png", "{} con.png"),
        ("-rf .png", "rf.png"),
    ],
)
def test_names_are_made_safe(show: Show, place: Path, image: bytes, name: str, kept: str, kind: str) -> None:
    status, answer = bring(show.port, name, image, kind)
    kept = kept.format(kind.removesuffix("s"))
    assert (status, answer["name"].rpartition("/")[2]) == (201, kept)
    assert names(place / kind) == [kept]
    assert names(place) == [kind]


@pytest.mark.posix
def test_links_in_the_folder_lead_nowhere(show: Show, place: Path, image: bytes) -> None:
    """A name that leads elsewhere is taken, also where nothing is there yet."""
    (place / "backgrounds").mkdir()
    (place / "backgrounds" / "a.png").symlink_to(place / "elsewhere.png")
    assert bring(show.port, "a.png", image)[1] == {"name": "a 2.png"}
    assert names(place) == ["backgrounds"]


# ------------------------------------------------------------------ who may


@pytest.mark.parametrize("kind", KINDS)
def test_another_page_brings_nothing(show: Show, place: Path, image: bytes, kind: str) -> None:
    own = f"http://127.0.0.1:{show.port}"
    for headers in (
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Host": "evil.example", "Origin": own},
        {},  # nobody says who asks
    ):
        line = HTTPConnection("127.0.0.1", show.port, timeout=10)
        line.request("POST", f"/{kind}?name=a.png", image, headers)
        assert line.getresponse().status == 403
        line.close()
    assert names(place) == []


@pytest.mark.parametrize("kind", KINDS)
def test_the_token_is_asked_for(place: Path, image: bytes, kind: str) -> None:
    with running(SETTINGS, token="secret") as show:
        line = HTTPConnection("127.0.0.1", show.port, timeout=10)
        line.request("POST", f"/{kind}?name=a.png", image, {"Origin": f"http://127.0.0.1:{show.port}"})
        assert line.getresponse().status == 401
        line.close()
        assert names(place) == []
        line = HTTPConnection("127.0.0.1", show.port, timeout=10)
        line.request("POST", f"/{kind}?name=a.png", image, {"Authorization": "Bearer secret"})
        assert line.getresponse().status == 201
        line.close()


def test_the_example_of_the_docs(show: Show, place: Path, image: bytes) -> None:
    lines = (ROOT / "docs" / "control.md").read_text("utf-8").replace("9720", str(show.port)).splitlines()
    (words,) = [shlex.split(line) for line in lines if line.startswith("curl ") and "@" in line]
    origin, url = words[words.index("-H") + 1], words[-1]
    line = HTTPConnection("127.0.0.1", show.port, timeout=10)
    line.request("POST", url.partition(str(show.port))[2], image, dict([origin.split(": ", 1)]))
    answer = line.getresponse()
    assert (answer.status, json.loads(answer.read())) == (201, {"name": "paintings/sunflowers.jpg"})
    line.close()


def test_only_post_brings(show: Show) -> None:
    for kind in KINDS:
        assert get(show.port, f"/{kind}?name=a.png")[0] == 405


# ------------------------------------------------------------------ limits


@pytest.mark.parametrize("kind", KINDS)
def test_there_are_limits(
    show: Show, place: Path, image: bytes, kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = {"backgrounds": Backgrounds, "paintings": Paintings}[kind]
    module = {"backgrounds": backgrounds, "paintings": paintings}[kind]
    for what, name, limit, status in (
        (shelf, "most_bytes", len(image) - 1, 413),
        (shelf, "most_together", len(image) - 1, 507),
        (module, "_MOST_LISTED", 0, 507),
        (uploads, "_MOST_AT_ONCE", 0, 429),
        (uploads, "_SECONDS", -1.0, 408),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(what, name, limit)
            assert bring(show.port, "a.png", image, kind)[0] == status, name
    assert names(place) == []
    assert bring(show.port, "a.png", image, kind)[0] == 201


def test_without_a_length_nothing_is_taken(show: Show, place: Path, image: bytes) -> None:
    line = HTTPConnection("127.0.0.1", show.port, timeout=10)
    own = {"Origin": f"http://127.0.0.1:{show.port}"}
    line.request("POST", "/paintings?name=a.png", iter([image]), own, encode_chunked=True)
    answer = line.getresponse()
    assert (answer.status, json.loads(answer.read())["error"]) == (411, "The length of the file is missing.")
    line.close()
    assert names(place) == []


def test_who_still_sends_hears_why(
    show: Show, place: Path, image: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A browser reads no answer before all of a file is sent."""
    monkeypatch.setattr(Paintings, "most_bytes", 1)
    line = HTTPConnection("127.0.0.1", show.port, timeout=10)
    own = {"Origin": f"http://127.0.0.1:{show.port}"}
    body = bytes(8 * uploads.MIB)  # more than a system keeps for a program that does not read
    line.request(
        "POST",
        "/paintings?name=a.png",
        (body[at : at + 4096] for at in range(0, len(body), 4096)),
        own | {"Content-Length": str(len(body))},
    )
    assert line.getresponse().status == 413
    line.close()
    assert names(place) == []


def test_what_comes_in_part_is_gone_when_its_page_is(show: Show, place: Path, image: bytes) -> None:
    with socket.create_connection(("127.0.0.1", show.port), 10) as line:
        line.sendall(head("backgrounds", len(image)) + image[:100])
        eventually(lambda: any((place / "backgrounds").glob(".coming0/*[0-9a-f]")))
        # Meanwhile another one comes, whole.
        assert bring(show.port, "b.png", image)[0] == 201
    eventually(lambda: names(place / "backgrounds") == ["b.png"])


@pytest.mark.parametrize("comes_whole", [True, False])
def test_a_show_that_ends_meanwhile_says_so(
    place: Path,
    image: bytes,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    comes_whole: bool,
) -> None:
    """While a file is looked at, and while it comes."""
    looked_at, ended = threading.Event(), threading.Event()

    def look_at(path: Path) -> None:
        looked_at.set()
        assert ended.wait(10)

    monkeypatch.setattr(paintings, "look_at", look_at)
    with running(SETTINGS) as show:
        line = HTTPConnection("127.0.0.1", show.port, timeout=10)
        body = image if comes_whole else image[:9]
        own = {"Origin": f"http://127.0.0.1:{show.port}", "Content-Length": str(len(image))}
        line.request("POST", "/paintings?name=a.png", body, own)
        if comes_whole:
            assert looked_at.wait(10)
        else:
            eventually(lambda: any((place / "paintings").glob(".coming0/*[0-9a-f]")))
        show.studio._server.should_exit = True
        answer = line.getresponse()
        ended.set()
        assert (answer.status, json.loads(answer.read())) == (503, {"error": "The show has ended."})
        line.close()
    assert not caplog.records
    assert names(place) == []


def test_a_few_at_once_and_what_is_announced_counts(
    show: Show, place: Path, image: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Backgrounds, "most_together", 20_000 + 5 * len(image))
    with ExitStack() as lines:

        def begin(length: int) -> None:
            line = lines.enter_context(socket.create_connection(("127.0.0.1", show.port), 10))
            line.sendall(head("backgrounds", length) + b"x")

        begin(20_000 + 4 * len(image))
        eventually(lambda: len(names(place / "backgrounds")) == 1)
        assert bring(show.port, "b.png", image + bytes(len(image)))[0] == 507
        for count in range(2, 5):
            begin(2)
            eventually(lambda count=count: len(names(place / "backgrounds")) == count)
        assert bring(show.port, "b.png", image)[0] == 429
        assert bring(show.port, "b.png", image, "paintings")[0] == 201
    eventually(lambda: names(place) == ["paintings"])
    assert bring(show.port, "b.png", image)[0] == 201


@pytest.mark.parametrize(
    ("code", "status", "words"),
    [
        (errno.ENOSPC, 507, "The disk is full."),
        (errno.EACCES, 500, "The folder backgrounds cannot be written."),
    ],
)
def test_a_disk_that_fails_is_said(
    show: Show,
    place: Path,
    image: bytes,
    code: int,
    status: int,
    words: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(source: Path, target: Path, real: Callable[[Path, Path], None] = uploads.replace) -> None:
        if target.parent.name == "backgrounds":
            raise OSError(code, "refused", str(target))
        real(source, target)

    with monkeypatch.context() as patch:
        patch.setattr(uploads, "replace", fail)
        assert bring(show.port, "a.png", image) == (status, {"error": words})
    assert names(place) == []
    (place / "paintings").touch()  # where the folder should be
    assert bring(show.port, "a.png", image, "paintings")[0] == 500


def test_a_dead_program_leaves_nothing_for_long(show: Show, place: Path, image: bytes) -> None:
    """What was coming when a program was killed is removed when the next file comes."""
    left = place / "backgrounds" / ".coming0"
    left.mkdir(parents=True)
    (left / "lock").touch()
    (left / "half").write_bytes(image[:50])
    assert bring(show.port, "a.png", image)[0] == 201
    assert names(place / "backgrounds") == ["a.png"]
