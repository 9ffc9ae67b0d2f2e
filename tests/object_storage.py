"""A real S3-compatible server on loopback, in this process."""

from __future__ import annotations

import logging
import os
from functools import cache
from typing import Any
from urllib.request import Request, urlopen

import fsspec
from moto.server import ThreadedMotoServer

ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "very-secret",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_MAX_ATTEMPTS": "1",  # a server that is gone stays so
    "AWS_EC2_METADATA_DISABLED": "true",
    "NO_PROXY": "127.0.0.1",
}


class ObjectServer:
    """Holds objects for as long as this process lasts, whether it answers or not."""

    def __init__(self, port: int = 0) -> None:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
        self._server.start()
        self.port = self._server.get_host_and_port()[1]

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def forget(self) -> None:
        """Remove all objects, of other servers in this process, too."""
        urlopen(Request(f"{self.address}/moto-api/reset", method="POST")).close()

    def close(self) -> None:
        self._server.stop()


def as_others_see_it() -> Any:
    """The storage, asked by somebody who remembers nothing of it."""
    return _other_client(os.environ["AWS_ENDPOINT_URL"])


@cache
def _other_client(address: str) -> Any:
    """One for each server: to make one takes longer than what is asked."""
    return fsspec.filesystem("s3", endpoint_url=address, skip_instance_cache=True, use_listings_cache=False)
