"""One try of every kind: what is prepared, which command runs, what may be there afterwards."""

from __future__ import annotations

import hashlib
import random
import socket
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from studio_show import get, running

from fuzz import absurd
from fuzz.attempt import Anything, Try
from fuzz.damage import damaged
from fuzz.materials import Materials, files_of, lay_out, painting
from fuzz.visits import request
from stylize_live.cli.app import main
from stylize_live.config import ConvertSettings, EngineSettings, WindowSettings
from stylize_live.conversion.segment_store import folder_of
from stylize_live.errors import EXIT_OK, EXIT_PARTIAL
from stylize_live.media.libraries import av
from stylize_live.nets.style_folders import own_folder

Prepare = Callable[[Materials, Path, random.Random], Try]


def clip(materials: Materials, folder: Path, rng: random.Random) -> Try:
    """A damaged video is converted."""
    whole, other = rng.sample(materials.clips, 2)
    suffix = whole.suffix if rng.random() < 0.8 else rng.choice((".mp4", ".mkv", ".gif", ".ts", ""))
    source = folder / f"in{suffix}"
    source.write_bytes(damaged(whole.read_bytes(), rng, other.read_bytes()))
    return _conversion(materials, source, folder, rng)


def given_clip(materials: Materials, folder: Path, source: Path) -> Try:
    """A video that is given is converted."""
    place = folder / source.name
    place.write_bytes(source.read_bytes())
    return _conversion(materials, place, folder, random.Random(0))


def _conversion(materials: Materials, source: Path, folder: Path, rng: random.Random) -> Try:
    target = f"out{rng.choice(('.mp4', '.mp4', '.mkv', '.mov', '.webm', '.gif'))}"
    words = [
        "convert",
        str(source),
        str(folder / target),
        "--preset",
        "ultrafast",
        *painting(materials.style),
    ]
    if rng.random() < 0.6:
        words += ["--steadiness", "0"]
    if rng.random() < 0.3:
        words += rng.choice((["--start", "0.1"], ["--end", "0.3"], ["--fps", "10"], ["--size", "32p"]))
    if rng.random() < 0.2:
        words += rng.choice((["--audio", "aac"], ["--bits", "10"], ["--side-by-side"], ["--preview", "0.2"]))
    left = folder_of(folder / target).name
    return Try(lambda: main(words), {target}, inputs={source.name}, kept=left)


def style(materials: Materials, folder: Path, rng: random.Random) -> Try:
    """A style file that lies is listed among others, and painted with."""
    data = materials.style.read_bytes()
    data = damaged(data, rng) if rng.random() < 0.4 else absurd.style(data, rng)
    own = own_folder()
    own.mkdir(parents=True, exist_ok=True)
    (own / "good.safetensors").write_bytes(materials.style.read_bytes())
    name = f"mine-{rng.randrange(10**9)}"  # what was read once under a name may be remembered
    (own / f"{name}.safetensors").write_bytes(data)
    words = [str(materials.photo), "-o", str(folder / "out.png"), *painting(Path(name))]
    good = [str(materials.photo), "-o", str(folder / "good.png"), *painting(Path("good"))]

    def run() -> int:
        try:
            listed, code = main(["styles"]), main(["image", *words])
            return code if listed == EXIT_OK == main(["image", *good]) else 1
        finally:
            for path in files_of(own):
                path.unlink()

    return Try(run, {"out.png", "good.png"}, unsure=True)


def setting(materials: Materials, folder: Path, rng: random.Random) -> Try:
    """A command is told absurd things, by flags or in a file."""
    command = rng.choice(("convert", "convert", "image", "live"))
    words = {
        "convert": ["convert", str(materials.clips[0]), str(folder / "out.mp4"), "--steadiness", "0"],
        "image": ["image", str(materials.photo), "-o", str(folder / "out.png")],
        "live": ["live", "--source", "test", "--no-window", "--duration", "0.05"],
    }[command]
    models = {"convert": ConvertSettings, "image": EngineSettings, "live": WindowSettings}[command]
    words += painting(materials.style)
    inputs = set()
    if rng.random() < 0.5:
        (folder / "settings.toml").write_bytes(absurd.config(models, rng))
        words += ["--config", str(folder / "settings.toml")]
        inputs.add("settings.toml")
    else:
        words += absurd.flags(models, rng, _LEFT_ALONE)
    if command == "convert" and rng.random() < 0.2:
        words[2:3] = ["-o", rng.choice(absurd.TEXTS).replace("\ud800", "")]
    left = folder_of(folder / "out.mp4").name
    return Try(lambda: main(words), Anything(), inputs=inputs, kept=left)


# What a file may not say either: the flags are given. A page, a camera, a network are another matter.
_LEFT_ALONE = {
    *("source", "duration", "window", "studio", "virtual_camera", "obs", "microphone", "device", "runtime")
}


def still(materials: Materials, folder: Path, rng: random.Random) -> Try:
    """A damaged image is painted."""
    whole, other = rng.sample(materials.stills, 2)
    source = folder / f"in{whole.suffix if rng.random() < 0.8 else rng.choice(('.jpg', '.png', '.eps', ''))}"
    source.write_bytes(damaged(whole.read_bytes(), rng, other.read_bytes()))
    return given_still(materials, folder, source)


def given_still(materials: Materials, folder: Path, source: Path) -> Try:
    """An image that is given is painted."""
    place = folder / source.name
    if place != source:
        place.write_bytes(source.read_bytes())
    words = ["image", str(place), "-o", str(folder / "out.png"), *painting(materials.style)]
    return Try(lambda: main(words), {"out.png"}, inputs={place.name})


def visit(materials: Materials, folder: Path, rng: random.Random) -> Try:
    """Somebody sends the studio what none of its pages would; another visitor is served all the same."""

    def run() -> int:
        with running() as show:
            for _ in range(_VISITS):
                _send(show.port, request(show.port, rng))
            status, headers, _ = get(show.port, "/")
            if status != 200 or "content-security-policy" not in headers:
                raise AssertionError(f"the studio answers {status}, {headers}")
            captured = show.stylizer.painted
        return EXIT_OK if captured is not None else 1

    return Try(run, Anything())


_VISITS = 4  # to one studio


def _send(port: int, data: bytes) -> None:
    with suppress(OSError), socket.create_connection(("127.0.0.1", port), 2) as line:
        line.settimeout(0.1)
        line.sendall(data)
        with suppress(TimeoutError):
            while line.recv(1 << 16):
                pass


def pieces(materials: Materials, folder: Path, rng: random.Random) -> Try:
    """What an interrupted conversion has left is damaged; the same command goes on."""
    target = folder / "out.mp4"
    place = lay_out(materials, target)
    for _ in range(rng.choice((0, 1, 1, 1, 2))):
        _spoil(place, rng)
    words = ["convert", str(materials.video), str(target), *painting(materials.style)]

    def check(code: int) -> list[str]:
        if code == EXIT_OK and contents(target) != _whole(materials, folder):
            return ["another video is called whole"]
        return [] if code != EXIT_PARTIAL else ["a whole video is called damaged"]

    return Try(lambda: main(words), {"out.mp4"}, check, kept=place.name)


def _spoil(place: Path, rng: random.Random) -> None:
    victim = rng.choice([path for path in files_of(place) if path.name != "lock"])
    match rng.randrange(8):
        case 0:
            victim.unlink()
        case 1:
            victim.write_bytes(b"")
        case 2:
            (place / f"{rng.randrange(9):06d}.packets").write_bytes(rng.randbytes(100))
        case 3:
            lines = victim.read_bytes().splitlines(keepends=True)
            rng.shuffle(lines)
            victim.write_bytes(b"".join(lines))
        case _:
            victim.write_bytes(damaged(victim.read_bytes(), rng))


_wholes: dict[Path, str] = {}


def _whole(materials: Materials, folder: Path) -> str:
    """What a conversion that nobody disturbed makes."""
    if materials.video not in _wholes:
        target = folder.parent / "whole.mp4"
        assert main(["convert", str(materials.video), str(target), *painting(materials.style)]) == EXIT_OK
        _wholes[materials.video] = contents(target)
        target.unlink()
    return _wholes[materials.video]


def contents(path: Path) -> str:
    """A hash over all packets and their times."""
    found = hashlib.sha256()
    with av.open(str(path)) as video:
        for packet in video.demux():
            found.update(f"{packet.stream_index} {packet.pts} {packet.dts} {packet.size}".encode())
            found.update(bytes(packet))
    return found.hexdigest()


KINDS: dict[str, Prepare] = {
    "clips": clip,
    "styles": style,
    "settings": setting,
    "stills": still,
    "visits": visit,
    "pieces": pieces,
}
# So many belong to a whole hunt.
AMOUNTS = {"clips": 1000, "styles": 300, "settings": 300, "stills": 200, "visits": 200, "pieces": 100}
CORPUS = Path(__file__).parent / "corpus"


def given(materials: Materials, folder: Path, name: str) -> Try:
    """A file of the corpus: what once broke something."""
    path = CORPUS / name
    kind = path.parent.name
    if kind == "stills":
        return given_still(materials, folder, path)
    if kind == "clips":
        return given_clip(materials, folder, path)
    raise ValueError(f"{name}: nobody knows what to do with it")
