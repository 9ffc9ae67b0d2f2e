"""Knob boxes whose bytes go through mido's own ports, over a socket in the place of a cable."""

from __future__ import annotations

import socket

import mido
from mido import sockets


class LoopPort(sockets.SocketPort):  # type: ignore[misc]
    """One end of a line that carries MIDI's bytes."""

    def __init__(self, line: socket.socket) -> None:
        super().__init__("loop", 1, conn=line)

    def _close(self) -> None:
        self._rfile.close()
        self._wfile.close()
        super()._close()


class Boxes:
    """Knob boxes: what is sent to one comes out of its input, byte for byte."""

    def __init__(self) -> None:
        self.plugged: dict[str, LoopPort | None] = {}

    def plug(self, name: str) -> None:
        self.plugged[name] = None

    def unplug(self, name: str) -> None:
        port = self.plugged.pop(name)
        assert port is not None
        port.close()

    def get_input_names(self) -> list[str]:
        return list(self.plugged)

    def open_input(self, name: str) -> LoopPort:
        ours, its = socket.socketpair()
        self.plugged[name] = LoopPort(its)
        return LoopPort(ours)

    def send(self, kind: str, name: str = "Box", **values: int) -> None:
        port = self.plugged[name]
        assert port is not None
        port.send(mido.Message(kind, **values))

    def close(self) -> None:
        for port in filter(None, self.plugged.values()):
            port.close()
