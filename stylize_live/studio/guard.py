"""Who may talk to the studio: the page itself, from this machine, or with the token from elsewhere.

A web page on the internet can make a browser send requests to this machine, also under a name of its
own that points here (DNS rebinding). Such requests carry a foreign Host or Origin, and end here.
"""

from __future__ import annotations

import secrets
import socket
from dataclasses import dataclass
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs, urlencode, urlsplit

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from stylize_live.media.addresses import is_address, is_loopback

_OWN_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_REFUSED = 1008  # WebSocket: policy violation
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
    """

    host: str
    port: int
    token: str | None

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
        if not rules.knows_host(headers.get("host", "")):
            return PlainTextResponse("This name does not belong to the studio.", 403)
        if not rules.knows_origin(headers, needed=scope["type"] == "websocket"):
            return PlainTextResponse("Another page asked for this.", 403)
        if rules.token is None or rules.knows_token(_cookie(headers, rules.cookie)):
            return None
        query = parse_qs(scope["query_string"].decode("latin-1"))
        if scope["type"] == "http" and rules.knows_token(query.pop("token", [""])[0]):
            return _remember(scope["path"], query, rules)
        return PlainTextResponse("Open the link that stylize-live printed: it carries the token.", 401)


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
