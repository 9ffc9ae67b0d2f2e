"""The control API: for a Stream Deck, a script, anything that speaks HTTP. See docs/control.md."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from stylize_live.errors import SourceError, StylizeError, UsageError, describe_error
from stylize_live.studio import control
from stylize_live.studio.control import Command, UnknownError
from stylize_live.studio.guard import TOKEN_GIVEN

_MOST_BYTES = 16384  # of a body
_SECONDS = 5.0  # that the session's main thread may take; a window that is being dragged holds it up

Words = Mapping[str, Any]


class SessionControl(Protocol):
    """The session, as the API sees it."""

    def said(self, topic: str) -> Any:
        """What pages were told last about a topic, or None."""

    async def carry_out(self, command: Command) -> None:
        """Have the main thread do something. Raises `StylizeError` where it cannot be done."""


class _RefusalError(Exception):
    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


def make_api(session: SessionControl) -> Callable[[Request], Awaitable[Response]]:
    """Make the handler of requests below /api/.

    Every answer is JSON: what was asked for; after a change, the status; else {"error": one line}.
    """

    async def answer(request: Request) -> Response:
        try:
            return JSONResponse(await _answer(request, session))
        except _RefusalError as refusal:
            headers = {"Allow": "POST"} if refusal.status == 405 else None
            return JSONResponse({"error": refusal.why}, refusal.status, headers)

    return answer


async def _answer(request: Request, session: SessionControl) -> object:
    path = request.path_params["path"].split("/")
    if path == ["status"] or path == ["styles"]:
        if request.method not in ("GET", "HEAD"):
            raise _RefusalError(405, f"{request.url.path} is read with GET")
        return status(session) if path == ["status"] else list_styles(session)
    _check_method(request)
    try:
        command = _parse_command(path, await _read_request(request) if path == ["set"] else {})
        await asyncio.wait_for(session.carry_out(command), _SECONDS)
    except (UnknownError, SourceError) as error:  # such as a file that is not a preset
        raise _RefusalError(404, str(error)) from None
    except UsageError as error:
        raise _RefusalError(400, str(error)) from None
    except (StylizeError, OSError) as error:  # OSError before TimeoutError, which is one
        if isinstance(error, TimeoutError):
            raise _RefusalError(503, "the show does not answer; it may do this later") from None
        raise _RefusalError(409, describe_error(error)) from None
    return status(session)


def _check_method(request: Request) -> None:
    """Let GET change something only where no page but ours can have asked for it.

    Any page can make a browser send GET, from an image or a link, without saying from where; but it does
    not know the token.
    """
    if request.method == "POST":
        return
    if request.method == "GET" and request.scope["state"].get(TOKEN_GIVEN):
        return
    hint = "; GET works only with the token in the request" if request.method == "GET" else ""
    raise _RefusalError(405, f"{request.url.path} takes POST{hint}")


async def _read_request(request: Request) -> dict[str, object]:
    """Settings from the address and from a body of JSON."""
    # A plus sign means a space there, and nobody remembers to write %2B.
    asked: dict[str, object] = {
        name: f"+{value[1:]}" if value.startswith(" ") else value
        for name, value in request.query_params.items()
        if name != "token"
    }
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _MOST_BYTES:
            raise _RefusalError(413, f"more than {_MOST_BYTES} bytes")
    if not body.strip():
        return asked
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise _RefusalError(400, 'the body is not a JSON object such as {"boldness": "+0.1"}')
    return asked | found


def _parse_command(path: list[str], asked: dict[str, object]) -> Command:
    match path:
        case ["set"]:
            return control.settings(asked)
        case ["style", ("next" | "previous") as step]:
            return control.press_key(control.STEPS[step])
        case ["style", style]:
            return control.settings({"style": style})
        case ["preset", name]:
            return control.load_preset_by_name(name)
        case [("end-learning" | "undo-learning") as word]:
            return control.do_once(control.setting_of(word))
        case ["keep", name]:
            return control.keep_as(name)
        case ["press", key]:
            return control.press_key(key)
        case ["snapshot"]:
            return control.snapshot
        case ["record"]:
            return control.record("toggle")
        case ["record", word]:
            return control.record(word)
        case [name] if control.setting_of(name) in control.SWITCHES:
            return control.toggle_or(name, "toggle")
        case [name, word] if control.setting_of(name) in control.SWITCHES:
            return control.toggle_or(name, word)
    raise UnknownError("there is no such address; see docs/control.md")


def status(session: SessionControl) -> dict[str, object]:
    """Everything about the session: what is set, how it runs, what can be chosen."""
    state, figures = session.said("state"), session.said("figures")
    if state is None:
        raise _RefusalError(503, "the show is starting")
    now = {} if figures is None else figures["now"]
    ages = now.get("ms", {})
    return {
        **state,
        "fps": now.get("fps"),
        "source_fps": now.get("source_fps"),
        "latency_ms": {"p50": ages.get("total"), "p95": now.get("p95"), "p99": now.get("p99")},
        "dropped": now.get("dropped"),
        "painting": now.get("painting"),
        "cpu": now.get("cpu"),
        "gpu": now.get("gpu"),
        "sources": session.said("sources"),
        "heard": (session.said("sound") or {}).get("now"),
    }


def list_styles(session: SessionControl) -> list[dict[str, object]]:
    """The styles in the order of their numbers."""
    about = session.said("about")
    state = session.said("state") or {"style": {}}
    return [
        {
            "number": number,
            "name": name,
            "label": about["names"][name],
            "chosen": name in state["style"],
            "thumbnail": f"/thumbnails/{number - 1}.jpg",
        }
        for number, name in enumerate(about["styles"], 1)
    ]
