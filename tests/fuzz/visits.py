"""What strangers may send to the studio: requests and frames, some of them nearly right."""

from __future__ import annotations

import base64
import json
import random
import struct
from urllib.parse import quote

from fuzz.absurd import NUMBERS, TEXTS

_PATHS = (
    *("/paintings", "/paintings?name=a.jpg", "/backgrounds", "/backgrounds?name=a.mp4", "/backgrounds/a.jpg"),
    *("/", "/bare", "/live", "/static/studio.js", "/thumbnails/0.jpg", "/thumbnails/-1.jpg", "/nothing"),
    *(
        "/saved",
        "/saved/",
        "/saved/stylize-live.mp4",
        "/api",
        "/api/",
        "/api/status",
        "/api/styles",
        "/api/set",
    ),
)
_METHODS = (
    "GET",
    "HEAD",
    "POST",
    "PUT",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "PRI",
    "G\x00T",
    "A" * 9000,
)
_HOSTS = (
    "[",
    "]",
    "[::1",
    "127.0.0.1:x",
    "evil.example",
    "",
    "a" * 5000,
    "\xff\xfe",
    "127.0.0.1:99999999999",
    "::1",
)
_TAILS = (
    "9" * 4400,
    "%",
    "%00",
    "%zz",
    "%ff%fe",
    "..%2f..%2fetc/passwd",
    "?" + "a=b&" * 3000,
    "#x",
    "\x00",
    "//x",
)


def request(port: int, rng: random.Random) -> bytes:
    """Bytes of one connection."""
    return rng.choice((_frames, _frames, _plain, _steering, _bringing))(port, rng)


def _steering(port: int, rng: random.Random) -> bytes:
    """What a program asks of the control API."""
    word = str(rng.choice((*NUMBERS, *TEXTS[:30], "toggle", "on", "next", "start")))
    path = rng.choice(("set", "style", "record", "freeze", "mirror", "stream", "preset", "press", "snapshot"))
    body = b"".join(_message(rng) for _ in range(rng.choice((0, 1, 1, 20))))
    if rng.random() < 0.5:
        names = ("style", "boldness", "stroke", "mirror", "size", "resolution", "source", "microphone", "x")
        body = _json({rng.choice(names): rng.choice((word, *NUMBERS, None, [], {word: word}, True))})
    size = len(body) if rng.random() < 0.9 else rng.choice((0, 5, 2**40))
    where = f"/api/{path}" + (f"/{quote(word[:3000], errors='replace')}" if rng.random() < 0.6 else "")
    head = f"POST {where} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {size}\r\n"
    if rng.random() < 0.2:
        head += f"Authorization: Bearer {quote(word[:300], errors='replace')}\r\n"
    return head.encode("latin-1", "replace") + b"\r\n" + body


def _bringing(port: int, rng: random.Random) -> bytes:
    """A file that a page brings, or what calls itself one."""
    name = str(rng.choice((*TEXTS[:30], "../../x.jpg", "con.png", ".png", "a.mp4", "x" * 3000)))
    body = rng.choice(_FILE_HEADS) + rng.randbytes(rng.choice((0, 20, 9000)))
    size = len(body) if rng.random() < 0.7 else rng.choice((0, 5, len(body) + 9, 2**29, 2**40))
    where = f"/{rng.choice(('paintings', 'backgrounds'))}?name={quote(name[:3000], errors='replace')}"
    origin = rng.choice((f"http://127.0.0.1:{port}",) * 4 + ("null", "http://evil.example"))
    head = f"POST {where} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nOrigin: {origin}\r\n"
    head += rng.choice((f"Content-Length: {size}",) * 5 + ("Transfer-Encoding: chunked", "X: y")) + "\r\n\r\n"
    return head.encode("latin-1", "replace") + body


_FILE_HEADS = (
    *(b"", b"\xff\xd8\xff\xe0", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"BM", b"II*\0", b"RIFF\0\0\0\0WEBPVP8 "),
    *(b"\0\0\0\x18ftypheic", b"\0\0\0\x18ftypmp42", b"\x1aE\xdf\xa3", b"#EXTM3U\n/etc/passwd\n", b"%!PS"),
)


def _plain(port: int, rng: random.Random) -> bytes:
    path = rng.choice(_PATHS) + (rng.choice(_TAILS) if rng.random() < 0.4 else "")
    if rng.random() < 0.1:
        path = f"/thumbnails/{'9' * 4400}.jpg"
    method = rng.choice(_METHODS) if rng.random() < 0.3 else "GET"
    host = rng.choice(_HOSTS) if rng.random() < 0.3 else f"127.0.0.1:{port}"
    lines = [f"{method} {path} HTTP/{rng.choice(('1.1', '1.1', '1.0', '2', '9.9', 'x'))}", f"Host: {host}"]
    lines += rng.choices(_HEADERS, k=rng.choice((0, 1, 3, 200)))
    data = ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1", "replace")
    if rng.random() < 0.2:
        data = data[: rng.randrange(len(data))]
    if rng.random() < 0.2:
        at = rng.randrange(len(data) + 1)
        data = data[:at] + rng.randbytes(rng.choice((1, 30, 3000))) + data[at:]
    return data


_HEADERS = (
    "Content-Length: 99999999999999999999",
    "Content-Length: -1",
    "Content-Length: 5",
    "Transfer-Encoding: chunked",
    "Transfer-Encoding: chunked, identity",
    "Cookie: " + "a=b; " * 500,
    'Cookie: x="\\777',
    "Origin: null",
    "Range: bytes=0-18446744073709551616",
    "Upgrade: websocket",
    "Connection: Upgrade, close",
    "Sec-WebSocket-Key: x",
    "Expect: 100-continue",
    "X: " + "y" * 10_000,
    " folded: yes",
    "no colon",
    "\xff: \xff",
)


def _frames(port: int, rng: random.Random) -> bytes:
    """A page's line, opened as our own page does, and what comes over it."""
    key = base64.b64encode(rng.randbytes(16)).decode()
    hello = (
        f"GET /live{rng.choice(('', '?bare=1', '?bare=%00'))} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n"
        f"Origin: http://127.0.0.1:{port}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        f"Sec-WebSocket-Version: {rng.choice(('13', '13', '13', '13', '8', 'x'))}\r\n"
        f"Sec-WebSocket-Key: {key}\r\n\r\n"
    )
    return hello.encode() + b"".join(_frame(rng) for _ in range(rng.choice((1, 3, 10))))


def _frame(rng: random.Random) -> bytes:
    payload = _message(rng)
    code = rng.choice((0x1, 0x1, 0x1, 0x1, 0x2, 0x0, 0x8, 0x9, 0xA, 0x3, 0xF))
    first = (
        code
        | (0x80 if rng.random() < 0.9 else 0)
        | (rng.choice((0x40, 0x20, 0x10)) if rng.random() < 0.05 else 0)
    )
    masked = 0x80 if rng.random() < 0.95 else 0
    size = len(payload) if rng.random() < 0.9 else rng.choice((0, 2**16, 2**32, 2**63))
    if size < 126:
        head = bytes((first, masked | size))
    elif size < 2**16:
        head = bytes((first, masked | 126)) + struct.pack(">H", size)
    else:
        head = bytes((first, masked | 127)) + struct.pack(">Q", size)
    mask = rng.randbytes(4)
    body = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
    return head + (mask + body if masked else payload)


def _message(rng: random.Random) -> bytes:
    match rng.randrange(5):
        case 0:
            return rng.randbytes(rng.choice((0, 1, 125, 3000)))
        case 1:
            return rng.choice(
                (b"[" * 30_000, b"{}" * 9, b'{"ack":' + b"9" * 5000 + b"}", b"null", b"\xff\xfe", b"1e999")
            )
        case 2:
            value = rng.choice((*NUMBERS, *TEXTS[:30], None, [], {}, True))
            return _json({rng.choice(("ack", "visible", "set", "do", "save", "camera", "remove")): value})
        case 3:
            names = (
                "style",
                "strength",
                "boldness",
                "steadiness",
                "stroke",
                "keep_colors",
                "paint",
                "background",
                "background_style",
                "mirror",
                "source",
                "x",
            )
            value = rng.choice(
                (*NUMBERS, *TEXTS[:30], None, [], {"first": 0.5}, {"first": -1, "second": 1e308}, True)
            )
            return _json({"set": {rng.choice(names): value}})
    return _json({"do": rng.choice(("snapshot", "look", "nothing"))})


def _json(value: object) -> bytes:
    return json.dumps(value).encode("utf-8", "surrogatepass")
