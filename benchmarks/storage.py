"""Reading a video from an S3-compatible server here: copied first, or in place through fsspec's caches.

    python benchmarks/storage.py VIDEO

Demuxes all packets, and says CPU seconds of this process (medians, the ways in turn), requests and bytes.
"""

from __future__ import annotations

import argparse
import logging
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from stylize_live.storage.fetching import fetched
from stylize_live.storage.places import StorageUrl

PORT, URL = 5723, "s3://bucket/video.mp4"
ROUNDS = 5
_MB = 1 << 20
# fsspec's caches of open files, with the size of a block.
CACHES = {"readahead": 5 * _MB, "blockcache": 8 * _MB, "background": 8 * _MB}


def serve() -> None:
    """Be the server, until killed."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    ThreadedMotoServer(ip_address="127.0.0.1", port=PORT, verbose=False).start()
    time.sleep(3600)


def demux(opened: Any) -> int:
    """Number of packets."""
    import av

    with av.open(opened) as container:
        return sum(1 for _ in container.demux())


def open_storage(video: Path) -> Any:
    """The server's file system with the video in it; counts its requests for bytes as `gets`."""
    import fsspec

    storage, _ = fsspec.core.url_to_fs(URL)
    while True:
        try:
            storage.mkdir("bucket")
            break
        except Exception:  # it starts
            time.sleep(0.2)
    storage.put_file(str(video), "bucket/video.mp4")
    call, storage.gets = storage._call_s3, 0

    async def count(method: str, *arguments: Any, **named: Any) -> Any:
        storage.gets += method == "get_object"
        return await call(method, *arguments, **named)

    storage._call_s3 = count
    return storage


def measure(video: Path) -> None:
    """Print a line for each way."""
    storage, size = open_storage(video), video.stat().st_size

    def in_place(cache: str) -> Callable[[], int]:
        def read() -> int:
            with storage.open("bucket/video.mp4", cache_type=cache, block_size=CACHES[cache]) as file:
                demux(file)
                return int(file.cache.total_requested_bytes)

        return read

    def copied() -> int:
        with tempfile.TemporaryDirectory() as folder, fetched(StorageUrl(URL, Path(folder))) as copy:
            demux(str(copy))
        return size

    ways: dict[str, Callable[[], int]] = {"copied first": copied}
    ways |= {f"in place, {cache}": in_place(cache) for cache in CACHES}
    seconds: dict[str, list[float]] = {name: [] for name in ways}
    said: dict[str, str] = {}
    for _ in range(ROUNDS):
        for name, read in ways.items():
            storage.gets, began = 0, time.process_time()
            told = read()
            seconds[name].append(time.process_time() - began)
            said[name] = f"{storage.gets} requests, {told / size:.2f} times the bytes"
    for name, spent in seconds.items():
        print(f"{name}: {statistics.median(spent):.2f} s, {said[name]}")


def main() -> None:
    """Start the server, measure, stop it."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("video", type=Path)
    video = arguments.parse_args().video
    os.environ |= {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "us-east-1"}
    os.environ["AWS_ENDPOINT_URL"] = f"http://127.0.0.1:{PORT}"
    server = subprocess.Popen(
        [sys.executable, "-c", "import storage; storage.serve()"], cwd=Path(__file__).parent
    )
    try:
        measure(video)
    finally:
        server.kill()
        server.wait()


if __name__ == "__main__":
    main()
