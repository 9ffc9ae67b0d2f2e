"""The studio's addresses, and what answers each."""

from __future__ import annotations

import asyncio
import importlib.resources
import re
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import asdict
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.types import ASGIApp

from stylize_live.errors import OUT_OF_HANDLES
from stylize_live.studio.api import SessionControl, make_api
from stylize_live.studio.backgrounds import Backgrounds
from stylize_live.studio.file_response import make_response
from stylize_live.studio.guard import TOKEN_GIVEN, Guard, Rules
from stylize_live.studio.hub import Hub
from stylize_live.studio.page import insert_options
from stylize_live.studio.paintings import Paintings
from stylize_live.studio.presets import list_presets
from stylize_live.studio.protocols import ENDED, TAKEN
from stylize_live.studio.saved_files import SavedFiles
from stylize_live.studio.uploads import Shelf, UploadError, Uploads

_KINDS = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}
_PAGES = {"/": "index.html", "/bare": "bare.html", "/stage": "stage.html"}
_SAVED_KINDS = {".png": "image/png", ".mp4": "video/mp4"}
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]  # the API answers each in its words
_INDEX = re.compile("[0-9]{1,4}")


def make_app(
    hub: Hub,
    session: SessionControl,
    thumbnail: Callable[[int], bytes | None],
    backgrounds: Backgrounds,
    paintings: Paintings,
    saved: SavedFiles,
    rules: Rules,
) -> ASGIApp:
    """The web application.

    Args:
        hub: attends to pages.
        session: what the control API controls.
        thumbnail: the JPEG of a style by its place in the list, if there is one.
        backgrounds: what can stand behind people; pages get small images of them, and bring more.
        paintings: that pages brought, and bring.
        saved: snapshots and recordings.
        rules: who is let in.
    """
    files = static_files()

    def file(request: Request) -> Response:
        name = request.path_params.get("name") or _PAGES[request.url.path]
        if name not in files:
            return PlainTextResponse("There is no such page.", 404)
        return Response(files[name], media_type=_KINDS[name[name.rindex(".") :]])

    async def page(request: Request) -> Response:
        return file(request)

    async def thumb(request: Request) -> Response:
        index = request.path_params["index"]
        jpeg = thumbnail(int(index)) if _INDEX.fullmatch(index) else None
        if jpeg is None:
            return PlainTextResponse("Not painted yet.", 404)
        return Response(jpeg, media_type="image/jpeg")

    async def one_background(request: Request) -> Response:
        jpeg = await asyncio.to_thread(backgrounds.image, request.path_params["name"])
        if jpeg is None:
            return PlainTextResponse("There is no such background.", 404)
        return Response(jpeg, media_type="image/jpeg")

    async def list_saved(request: Request) -> Response:
        files = await asyncio.to_thread(saved.list_files)
        return JSONResponse([asdict(file) for file in files])

    async def presets(request: Request) -> Response:
        return JSONResponse(await asyncio.to_thread(list_presets, Path()))

    async def one_saved(request: Request) -> Response:
        return await _saved_file(saved, request)

    routes = [
        *(Route(path, page) for path in _PAGES),
        Route("/static/{name}", page),
        Route("/thumbnails/{index}.jpg", thumb),
        Route("/paintings", _take_into(paintings, rules), methods=["POST"]),
        Route("/backgrounds", _take_into(backgrounds, rules), methods=["POST"]),
        Route("/backgrounds/{name}", one_background),
        Route("/presets", presets),
        Route("/saved", list_saved),
        Route("/saved/{name}", one_saved),
        Route("/api/{path:path}", make_api(session), methods=_METHODS),
        WebSocketRoute("/live", hub.serve),
    ]
    app = Starlette(routes=routes, middleware=[Middleware(Guard, rules=rules)])
    app.router.redirect_slashes = False  # an address is right or wrong
    return app


def _take_into(shelf: Shelf, rules: Rules) -> Callable[[Request], Awaitable[Response]]:
    """Make the handler of files that pages bring: their bytes as the body, their name in the address."""
    uploads = Uploads(shelf)

    async def take(request: Request) -> Response:
        state, headers = request.scope["state"], request.headers
        if not rules.knows_origin(headers, needed=TOKEN_GIVEN not in state):
            return _refuse(UploadError(403, "Another page asked for this."))
        length = int(headers["content-length"]) if "content-length" in headers else None
        name, taken = request.query_params.get("name", ""), state.get(TAKEN, lambda: None)
        taking = uploads.take(name, length, request.stream(), taken)
        try:
            return JSONResponse({"name": await _unless(state.get(ENDED, asyncio.Event()), taking)}, 201)
        except UploadError as refusal:
            return _refuse(refusal)
        except ClientDisconnect:
            return Response(status_code=400)  # which nobody hears

    return take


async def _unless(ended: asyncio.Event, taking: Coroutine[Any, Any, str]) -> str:
    """What comes of taking a file. Raises `UploadError`: the server ended before; nothing of it is left."""
    work, end = asyncio.ensure_future(taking), asyncio.ensure_future(ended.wait())
    try:
        await asyncio.wait({work, end}, return_when=asyncio.FIRST_COMPLETED)
        if not work.done():
            work.cancel()
            await asyncio.wait({work})
            raise UploadError(503, "The show has ended.")
        return work.result()
    finally:
        work.cancel()
        end.cancel()


def _refuse(refusal: UploadError) -> Response:
    # The connection stays: closed while a file is still on its way, the other side would not hear the answer.
    return JSONResponse({"error": refusal.why}, refusal.status)


async def _saved_file(saved: SavedFiles, request: Request) -> Response:
    name = request.path_params["name"]
    try:
        file = await asyncio.to_thread(saved.open, name)
    except OSError as error:
        if error.errno in OUT_OF_HANDLES:
            return PlainTextResponse("Too many files are open.", 503)
        return PlainTextResponse("There is no such file.", 404)
    return make_response(
        request, file, _SAVED_KINDS[name[-4:]], request.scope["state"].get(TAKEN, lambda: None)
    )


def static_files() -> dict[str, bytes]:
    """The page's files by name, read once: a handful of kilobytes."""
    folder = importlib.resources.files(__package__) / "static"
    found = {file.name: file.read_bytes() for file in folder.iterdir() if file.name[-4:] != ".jpg"}
    page = insert_options(found["index.html"].decode("utf-8"))
    return found | {"index.html": page.encode("utf-8")}
