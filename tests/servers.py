"""A server of files on loopback."""

from __future__ import annotations

import socket
import threading


class Server:
    """Sends bytes to whoever connects, one after the other, then closes the connection."""

    def __init__(self, *data: bytes) -> None:
        self._data = data
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve, name="stylize-test-server")
        self._thread.start()

    def _serve(self) -> None:
        for data in self._data:
            connection, _ = self._socket.accept()
            with connection:
                connection.sendall(data)
        self._socket.close()  # nobody waits in line for an answer

    def close(self) -> None:
        self._thread.join(5)
        self._socket.close()
