"""Who may use the studio: its own page from this machine, and whoever has the token from elsewhere.

A web page on the internet can make a browser send requests to this machine, also under a name of its
own that points here (DNS rebinding). Such requests carry a foreign Host or Origin, and end here.

Programs that control the session (`api.py`) have no cookie and no page: they carry the token themselves,
which no foreign page knows; so their Origin is not checked.
"""

from __future__ import annotations

import secrets
import socket
from dataclasses import dataclass, field
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlencode, urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from stylize_live.studio.tickets import Tickets
from stylize_live.system.addresses import is_address, is_loopback

_OWN_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_REFUSED = 1008  # WebSocket: policy violation
TOKEN_GIVEN = "token given"  # in a request's state: whether it carries the token itself
_BEARER = "bearer "
_FOREIGN_SITES = frozenset({"cross-site", "same-site"})  # in Sec-Fetch-Site, which no page can change
# Of every answer: everything comes from this server; nobody else may show or read it.
HEADERS = {
    "Content-Security-Policy": "default-src 'self'; img-src 'self' blob:; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-cache",
}


@dataclass(frozen=True, slots=True)
class Rules:
    """What a request needs.

    Attributes:
        host: address or name that the server is bound to.
        port: its port.
        token: secret that a link or cookie must carry, or None.
        tickets: each lets one page in, in place of the token.
    """

    host: str
    port: int
    token: str | None
    tickets: Tickets = field(default_factory=Tickets)

    @property
    def cookie(self) -> str:
        """Name of the cookie; cookies do not tell ports apart, so it does."""
        return f"stylize_live_{self.port}"

    def knows_host(self, header: str) -> bool:
        """Whether a Host header is a name of this machine, not one that was pointed at it."""
        try:
            name = urlsplit(f"//{header}").hostname or ""
        except ValueError:  # brackets that are no address
            return False
        if name in _OWN_NAMES or name == self.host.lower():
            return True
        if is_loopback(self.host):
            return False
        own = socket.gethostname().lower()
        return name in (own, f"{own}.local") or is_address(name)

    def knows_origin(self, headers: Headers, *, needed: bool) -> bool:
        """Whether a request comes from our own page; one without Origin does where none is `needed`."""
        origin = headers.get("origin")
        if origin is None:
            return not needed
        return origin == f"http://{headers.get('host', '')}"

    def knows_token(self, given: str | None) -> bool:
        """Whether a token is the right one."""
        return self.token is None or secrets.compare_digest((given or "").encode(), self.token.encode())


class Guard:
    """Lets through what the rules allow.

    A link with the token leaves it in a cookie and leads on to the page without it.

    Args:
        app: what is guarded.
        rules: what is allowed; told later, once the port is known.
    """

    def __init__(self, app: ASGIApp, rules: Rules) -> None:
        self._app = app
        self._rules = rules

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer an ASGI request."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        answer = self._refusal(scope)
        if answer is None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": _REFUSED})  # before it was accepted: 403
        else:
            await answer(scope, receive, send)

    def _refusal(self, scope: Scope) -> Response | None:
        headers, rules = Headers(scope=scope), self._rules
        refuse = _refuse_in_json if is_api(scope["path"]) else PlainTextResponse
        if not rules.knows_host(headers.get("host", "")):
            return refuse("This name does not belong to the studio.", 403)
        query = parse_qs(scope["query_string"].decode("latin-1"))
        if _carries_token(scope, headers, query, rules):
            scope.setdefault("state", {})[TOKEN_GIVEN] = True
            return None
        if not rules.knows_origin(headers, needed=scope["type"] == "websocket"):
            return refuse("Another page asked for this.", 403)
        if is_api(scope["path"]) and headers.get("sec-fetch-site") in _FOREIGN_SITES:
            return refuse("Another page asked for this.", 403)
        if rules.token is None or rules.knows_token(_cookie(headers, rules.cookie)):
            return None
        if is_api(scope["path"]):
            return refuse("The token is missing or wrong: Authorization: Bearer TOKEN, or ?token=TOKEN.", 401)
        return self._let_in_by_link(scope, query)

    def _let_in_by_link(self, scope: Scope, query: dict[str, list[str]]) -> Response:
        """What a link of ours leads to: the token or a ticket in it becomes a cookie."""
        rules = self._rules
        if scope["type"] == "http" and rules.knows_token(query.pop("token", [""])[0]):
            return _remember(scope["path"], query, rules)
        ticket = query.pop("ticket", [""])[0]
        if scope["type"] == "http" and ticket:
            if scope["method"] == "GET" and rules.tickets.redeem(ticket):
                return _remember(scope["path"], query, rules)
            return PlainTextResponse(
                "This link opens the page once, for a minute: open the one that stylize-live printed.", 401
            )
        return PlainTextResponse("Open the link that stylize-live printed: it carries the token.", 401)


def is_api(path: str) -> bool:
    """Whether an address belongs to the control API."""
    return path == "/api" or path.startswith("/api/")


def _refuse_in_json(why: str, status: int) -> Response:
    return JSONResponse({"error": why}, status)


def _carries_token(scope: Scope, headers: Headers, query: dict[str, list[str]], rules: Rules) -> bool:
    """Whether a program's request has the token in its header, or of the API in its address."""
    if rules.token is None:
        return False
    given = headers.get("authorization", "")
    if given[: len(_BEARER)].lower() == _BEARER and rules.knows_token(given[len(_BEARER) :].strip()):
        return True
    return is_api(scope["path"]) and "token" in query and rules.knows_token(query["token"][0])


def _cookie(headers: Headers, name: str) -> str | None:
    try:
        morsel = SimpleCookie(headers.get("cookie", "")).get(name)
    except CookieError:
        return None
    return morsel.value if morsel else None


def _remember(path: str, query: dict[str, list[str]], rules: Rules) -> Response:
    rest = urlencode(query, doseq=True)
    # Never two slashes at the beginning: that would lead to another machine.
    answer = RedirectResponse("/" + path.lstrip("/\\") + (f"?{rest}" if rest else ""), 303)
    # Lax, as the first click may come from a chat or a mail; WebSockets check their Origin beside it.
    answer.set_cookie(rules.cookie, rules.token or "", httponly=True, samesite="lax")
    return answer
