"""A connection to a running OBS: obs-websocket 5, by the library obsws-python."""

from __future__ import annotations

import logging
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from stylize_live.errors import ObsError, ObsPasswordError, UsageError, describe_error
from stylize_live.install_hints import install_command
from stylize_live.lifecycle import Closeable

if TYPE_CHECKING:
    from obsws_python.baseclient import ObsClient

USUAL_PORT = 4455
SWITCH_ON = "in OBS: Tools > WebSocket Server Settings > Enable WebSocket server"
_PACKAGE = "obsws-python"
_TOO_OLD = "OBS 28 or newer is needed"
_RPC = 1  # the version of requests that are made here
_SECONDS = 5.0  # for each answer
_GOODBYE_SECONDS = 1
_NOT_READY = 207  # while it starts, or changes its scene collection


class Obs(Closeable):
    """A connection to OBS.

    Attributes:
        place: its host and port.
        version: of OBS.
        protocol: version of its WebSocket server.
        password_from: where the password was found, "" if the user gave it, or none was needed.

    Args:
        host, port: of its WebSocket server.
        password: of that; "" for none.

    Raises:
        UsageError: obsws-python is not installed.
        ObsPasswordError: OBS requires another password.
        ObsError: no OBS answers there, or one that is too old.
    """

    password_from = ""

    def __init__(self, host: str, port: int, password: str) -> None:
        self.place = f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
        self._client = _connect(self.place, password)
        try:
            self._identify(password)
            said = self.ask("GetVersion")
            self.version = str(said["obsVersion"])
            self.protocol = str(said["obsWebSocketVersion"])
        except BaseException:
            self.close()
            raise

    def _identify(self, password: str) -> None:
        import websocket
        from obsws_python.error import OBSSDKError

        try:
            hello = dict(self._client.server_hello["d"])
            version = int(hello["rpcVersion"])
        except (LookupError, TypeError, ValueError):
            raise _no_obs(self.place) from None
        if version < _RPC:
            raise ObsError(f"OBS at {self.place} is too old: {_TOO_OLD}")
        if "authentication" in hello and not password:
            raise ObsPasswordError(f"OBS at {self.place} requires a password")
        try:
            self._client.authenticate()
        except OBSSDKError:  # it hung up on us
            raise ObsPasswordError(f"OBS at {self.place} refuses this password") from None
        except (OSError, websocket.WebSocketException) as error:
            raise self._broken(error) from None

    @property
    def own_address(self) -> str:
        """The address under which OBS's machine sees this one."""
        return str(self._client.ws.sock.getsockname()[0])

    def ask(self, request: str, **data: object) -> dict[str, Any]:
        """Make a request of obs-websocket's protocol.

        Returns:
            What OBS answers, {} if that is nothing but "done".

        Raises:
            ObsError: OBS refuses, does not answer in time, or is gone.
        """
        import websocket
        from obsws_python.error import OBSSDKError

        try:
            answer = self._client.req(request, data)
        except (OSError, ValueError, OBSSDKError, websocket.WebSocketException) as error:
            raise self._broken(error) from None
        status = answer["requestStatus"]
        if status["result"]:
            return dict(answer.get("responseData") or {})
        if status["code"] == _NOT_READY:
            raise ObsError("OBS is still starting: run this again in a moment")
        raise ObsError(f"OBS refuses {request}: {status.get('comment') or status['code']}")

    def _broken(self, error: Exception) -> ObsError:
        if _is_late(error):
            return ObsError(
                f"OBS at {self.place} does not answer: it may be waiting for an open dialogue, or hang"
            )
        return ObsError(f"the connection to OBS at {self.place} was lost")

    def close(self) -> None:
        """Hang up. May be called twice."""
        _hang_up(self._client)


def require_library() -> None:
    """Raises `UsageError` if obsws-python is missing."""
    if find_spec("obsws_python") is None:
        raise UsageError(f"setting up OBS needs {_PACKAGE}: {install_command(_PACKAGE)}")


def _connect(place: str, password: str) -> ObsClient:
    """Raises as `Obs` does."""
    require_library()
    import websocket
    from obsws_python.baseclient import ObsClient

    # It logs passwords, and whole tracebacks for errors that it raises as well.
    for name in ("obsws_python", "websocket"):
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    host, _, port = place.rpartition(":")
    client = ObsClient.__new__(ObsClient)  # so that it can be closed where its own beginning fails
    try:
        client.__init__(host=host, port=int(port), password=password, timeout=_SECONDS)
    except Exception as error:
        _hang_up(client)
        if isinstance(error, ConnectionRefusedError):
            raise ObsError(f"no OBS answers at {place}: start OBS, and switch on {SWITCH_ON}") from None
        if _is_late(error):
            raise ObsError(f"no answer from {place} in {_SECONDS:g} seconds: {_TOO_OLD}") from None
        if isinstance(error, OSError | websocket.WebSocketAddressException):
            reason = describe_error(error.__cause__ or error.__context__ or error)
            raise ObsError(f"cannot reach OBS at {place}: {reason}") from None
        if isinstance(error, ValueError | websocket.WebSocketException):
            raise _no_obs(place) from None
        raise
    return client


def _hang_up(client: ObsClient) -> None:
    line = getattr(client, "ws", None)
    if line is not None:
        line.close(timeout=_GOODBYE_SECONDS)
        line.shutdown()  # if it was never really open


def _is_late(error: BaseException) -> bool:
    import websocket
    from obsws_python.error import OBSSDKTimeoutError

    return isinstance(error, TimeoutError | websocket.WebSocketTimeoutException | OBSSDKTimeoutError)


def _no_obs(place: str) -> ObsError:
    return ObsError(f"the server at {place} is not OBS, which usually listens on port {USUAL_PORT}")
