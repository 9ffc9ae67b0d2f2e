"""How OBS is reached: address and password."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from stylize_live.errors import ObsError, ObsPasswordError
from stylize_live.obs.connection import SWITCH_ON, USUAL_PORT, Obs, require_library
from stylize_live.obs.own_settings import OwnSettings, read_own_settings
from stylize_live.system.addresses import is_loopback

HERE = "127.0.0.1"
PASSWORD_VARIABLE = "OBS_WEBSOCKET_PASSWORD"
_WHERE = "OBS shows it under Tools > WebSocket Server Settings > Show Connect Info"
_HOW = f"{_WHERE}; set {PASSWORD_VARIABLE} to it, or give --password"


@dataclass(frozen=True)
class Access:
    """How to reach OBS, as the user gave it.

    Attributes:
        host: name or address of its machine.
        port: of its WebSocket server; None for the one in OBS's own settings, or the usual one.
        password: None for that of the environment or of OBS's own settings.
        prompt: asks a person for the password, told why; None where nobody can be asked.
    """

    host: str = HERE
    port: int | None = None
    password: str | None = None
    prompt: Callable[[str], str] | None = None


def open_obs(access: Access) -> Obs:
    """Connect to OBS.

    Raises:
        UsageError: obsws-python is not installed.
        ObsError: OBS cannot be reached, wants another password, or is too old.
    """
    require_library()
    own = read_own_settings() if is_loopback(access.host) else None
    port = access.port or (own.port if own else USUAL_PORT)
    if own is not None and own.port != port:
        own = None  # that is another OBS
    given = access.password or os.environ.get(PASSWORD_VARIABLE)
    secret = given or (own.password if own else "")
    try:
        obs = _open(access, port, secret, own)
    except ObsPasswordError as error:
        if access.prompt is None or given:
            found = f" (that of {own.file})" if own and secret and not given else ""
            raise ObsPasswordError(f"{error}{found}: {_HOW}") from None
        return _open(access, port, access.prompt(f"{error}. {_WHERE}."), own)
    if own is not None and secret and not given:
        obs.password_from = str(own.file)
    return obs


def _open(access: Access, port: int, password: str, own: OwnSettings | None) -> Obs:
    try:
        return Obs(access.host, port, password)
    except ObsPasswordError:
        raise
    except ObsError:
        if own is not None and not own.enabled:
            raise ObsError(f"the WebSocket server of OBS is switched off; switch on {SWITCH_ON}") from None
        raise
