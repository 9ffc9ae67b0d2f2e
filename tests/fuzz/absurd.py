"""Values that nobody means."""

from __future__ import annotations

import json
import random
import struct
from typing import Any

from pydantic import BaseModel

TEXTS = (
    *(
        "",
        " ",
        "0",
        "-1",
        "1e100000000",
        "1e999",
        "-1e999",
        "inf",
        "-inf",
        "nan",
        "0/0",
        "1/0",
        "9" * 5000,
        "0x10",
    ),
    *(
        "\x00",
        "a\x00b",
        "\x1b[31mred",
        "\x1b]0;title\x07",
        "\u202eevil",
        "\ud800",
        "é" * 300,
        "a" * 100_000,
        "☃",
    ),
    *(
        "[red]",
        "[/]",
        "{stem:>99999999999}",
        "{stem!r:{stem}}",
        "%s%n",
        "../../x",
        "/dev/null",
        "-",
        "--",
        "auto",
    ),
    *(
        "1:2:3:4:5:6",
        "99:99:99",
        "1.5.5",
        "1e3",
        "29.97",
        "30000/1001",
        "640x360",
        "0x0",
        "99999x99999",
        "720p",
        "p",
    ),
    *("a:b", ":", ",", "0:", "0:a,0:b", "x:0.5,y", "tiny@2", "@", "0:tiny@nan", "1e400:tiny", "first:1e309"),
)
NUMBERS: tuple[Any, ...] = (0, -1, 1, 2**31, 2**63, 2**64, -(2**63), 10**400, 0.5, -0.0, 1e308, 1e-320)
_TOML = (
    "x = " + "[" * 3000 + "]" * 3000,
    "a." * 2000 + "b = 1",
    "[" + ".".join("a" * 3000) + "]",
    "strength = " + "1" * 5000,
    "strength = 1e" + "9" * 400,
    "strength = nan",
    "fps = inf",
    "style = '''" + "x" * 1_000_000 + "'''",
    'style = "\\ud800"',
    "style = 1979-05-27T07:32:00Z",
    "= =",
    "\x00",
    "strength = 0.5\nstrength = 0.6",
    "{}",
    '"\u202e" = 1',
)


def config(models: type[BaseModel], rng: random.Random) -> bytes:
    """A TOML file for settings, with something wrong more often than not."""
    if rng.random() < 0.2:
        return rng.choice(_TOML).encode("utf-8", "surrogatepass")
    names = rng.sample(sorted(models.model_fields), k=rng.randrange(1, 5))
    lines = [f"{name} = {_toml_value(rng)}" for name in names]
    data = "\n".join(lines).encode("utf-8", "surrogatepass")
    if rng.random() < 0.2:
        data = data[: rng.randrange(len(data) + 1)] + rng.randbytes(3)
    return data


def _toml_value(rng: random.Random) -> str:
    kind = rng.randrange(6)
    if kind == 0:
        return str(rng.choice(NUMBERS))
    if kind == 1:
        return rng.choice(("true", "false", "nan", "-inf", "[]", "{}", "[[1]]", "1979-05-27"))
    if kind == 2:
        return f"{rng.uniform(-2, 2):.3f}"
    return json.dumps(rng.choice(TEXTS))


def flags(models: type[BaseModel], rng: random.Random, leave_out: set[str]) -> list[str]:
    """Some flags of settings with values that make no sense, or nearly none."""
    words = []
    for name in rng.sample(sorted(set(models.model_fields) - leave_out), k=rng.randrange(1, 4)):
        value = rng.choice(TEXTS) if rng.random() < 0.7 else str(rng.choice(NUMBERS))
        words.append(f"--{name.replace('_', '-')}={value}")
    return [
        word.encode("utf-8", "surrogateescape" if "\ud800" not in word else "replace").decode()
        for word in words
    ]


def style(data: bytes, rng: random.Random) -> bytes:
    """A style file whose description or tensors lie."""
    length = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8 : 8 + length])
    rng.choice(_LIES)(header, rng)
    text = json.dumps(header).encode()
    if rng.random() < 0.15:  # deeper than any parser goes
        text = b'{"__metadata__":' + b'{"a":' * 50_000 + b"1" + b"}" * 50_000 + b"}"
    claimed = (
        len(text) if rng.random() < 0.85 else rng.choice((0, 1, 2**31, 2**63, 2**64 - 1, len(text) // 2))
    )
    return struct.pack("<Q", claimed) + text + data[8 + length :]


def _lie_of_info(header: dict[str, Any], rng: random.Random) -> None:
    meta = header["__metadata__"]
    name = rng.choice(sorted(meta))
    meta[name] = rng.choice(
        (*TEXTS, "null", "[]", "{}", "[" * 20_000, "1" * 6000, '{"name":1}', '{"width":-1}')
    )


def _lie_of_title(header: dict[str, Any], rng: random.Random) -> None:
    meta = header["__metadata__"]
    info = json.loads(meta["style"])
    info[rng.choice(("name", "title", "artist", "year", "licence", "source"))] = rng.choice(
        (*TEXTS, 1, None, [], {})
    )
    meta["style"] = json.dumps(info)


def _lie_of_architecture(header: dict[str, Any], rng: random.Random) -> None:
    meta = header["__metadata__"]
    built = json.loads(meta["architecture"])
    built[rng.choice([*sorted(built), "more"])] = rng.choice((*NUMBERS[:7], "8", None, [], 10**9, True))
    meta["architecture"] = json.dumps(built)


def _lie_of_tensor(header: dict[str, Any], rng: random.Random) -> None:
    name = rng.choice(sorted(set(header) - {"__metadata__"}))
    match rng.randrange(5):
        case 0:
            header[name]["dtype"] = rng.choice(("F64", "I8", "BOOL", "BF16", "F8_E4M3", "X", 1))
        case 1:
            header[name]["shape"] = rng.choice(([], [0], [2**62, 4], [-1], [1] * 5000, "8", [8.5]))
        case 2:
            header[name]["data_offsets"] = rng.choice(([0, 2**62], [-1, 5], [5, 1], [0], [0, 0], "x"))
        case 3:
            del header[name]
        case 4:
            header[rng.choice(TEXTS[:8])] = header.pop(name)


def _lie_of_nothing(header: dict[str, Any], rng: random.Random) -> None:
    del header["__metadata__"]


_LIES = (
    _lie_of_info,
    _lie_of_title,
    _lie_of_title,
    _lie_of_architecture,
    _lie_of_tensor,
    _lie_of_tensor,
    _lie_of_nothing,
)
