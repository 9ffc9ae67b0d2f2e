"""Several remotes of one session."""

from __future__ import annotations

from collections.abc import Sequence

from stylize_live.live.session import LiveSession, Remote
from stylize_live.studio.control_desk import ControlDesk


class RemoteGroup:
    """A `Remote` made of others.

    Args:
        desk: what all of them control the session with.
        remotes: attended in this order.
    """

    def __init__(self, desk: ControlDesk, remotes: Sequence[Remote]) -> None:
        self._desk = desk
        self._remotes = list(remotes)
        self.shows = any(remote.shows for remote in remotes)

    @property
    def watched(self) -> bool:
        """Whether anybody may be looking at one of them. Any thread may ask."""
        return any(remote.watched for remote in self._remotes)

    def attend(self, session: LiveSession) -> None:
        """See `Remote.attend`."""
        for remote in self._remotes:
            remote.attend(session)
        self._desk.exclude_own_camera(session)
