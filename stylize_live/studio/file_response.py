"""A file as the answer to a request, whole or in part: players ask for parts."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import AsyncIterator, Callable
from email.utils import formatdate
from typing import BinaryIO

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import Receive, Scope, Send

_CHUNK = 256 * 1024  # bytes
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")


class FileResponse(StreamingResponse):
    """Sends a part of an open file, and closes it whatever happens.

    Args:
        file: to read from.
        part: (start, end) in bytes.
        taken: called after each chunk that the other side had room for.
        status, headers, kind: of the answer.
    """

    def __init__(
        self,
        file: BinaryIO,
        part: tuple[int, int],
        taken: Callable[[], None],
        *,
        status: int,
        headers: dict[str, str],
        kind: str,
    ) -> None:
        self._file = file
        super().__init__(self._chunks(*part, taken), status, headers, kind)

    async def _chunks(self, start: int, end: int, taken: Callable[[], None]) -> AsyncIterator[bytes]:
        self._file.seek(start)
        while start < end:
            chunk = await asyncio.to_thread(self._file.read, min(_CHUNK, end - start))
            if not chunk:
                return  # it was cut off meanwhile
            start += len(chunk)
            yield chunk
            taken()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._file.close()


def make_response(request: Request, file: BinaryIO, kind: str, taken: Callable[[], None]) -> Response:
    """Answer a request for a file: with all of it, or one part. The file is closed in the end.

    Args:
        request: its method and headers count.
        file: is open.
        kind: media type.
        taken: see `FileResponse`.
    """
    found = os.fstat(file.fileno())
    size = found.st_size
    tag = f'"{found.st_mtime_ns:x}-{size:x}"'
    headers = {
        "Accept-Ranges": "bytes",
        "ETag": tag,
        "Last-Modified": formatdate(found.st_mtime, usegmt=True),
    }
    part = _part(request.headers, size, headers)
    if part is not None and part[0] >= part[1]:
        file.close()
        return PlainTextResponse("No such part.", 416, {"Content-Range": f"bytes */{size}"})
    start, end = part or (0, size)
    if part is not None:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    headers["Content-Length"] = str(end - start)
    status = 200 if part is None else 206
    if request.method == "HEAD":
        file.close()
        return Response(None, status, headers, kind)
    return FileResponse(file, (start, end), taken, status=status, headers=headers, kind=kind)


def _part(asked: Headers, size: int, known: dict[str, str]) -> tuple[int, int] | None:
    """The (start, end) that is asked for, empty where there is none such; None for the whole file.

    Several parts at once, and what is no range, get the whole, as HTTP allows.
    """
    found = _RANGE.fullmatch(asked.get("range", ""))
    if found is None or found[0] == "bytes=-":
        return None
    if asked.get("if-range", known["ETag"]) not in (known["ETag"], known["Last-Modified"]):
        return None
    first, last = found.groups()
    if not first:
        return max(0, size - int(last)), size
    return int(first), min(size, int(last) + 1) if last else size
