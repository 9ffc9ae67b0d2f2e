"""Try the installed program as its users would, on any system: what the tests cannot stand for.

    python .ci/try_out.py

A video whose name no code page of the West has, output redirected; five seconds of a show, streamed to one
who watches; what the machine has, as JSON. Nothing is left behind.
"""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NAME = "浪 Ünïcode Москва"
_PATIENCE = 120.0  # seconds; a first start measures the machine


def main() -> int:
    """Do all of it; the first thing that is wrong ends the script."""
    with tempfile.TemporaryDirectory(prefix="try out ") as name:
        folder = Path(name)
        source, target = folder / f"{NAME}.mp4", folder / "out" / f"{NAME} 2.mp4"
        source.write_bytes((ROOT / "samples" / "flower.mp4").read_bytes())
        said = run("convert", str(source), "-o", f"{target.parent}/", "--end", "0.5", folder=folder)
        check(source.name in said, f"the name is not in {said!r}")
        report = json.loads(run("convert", str(source), str(target), "--end", "0.5", "--json", folder=folder))
        check(report["files"][0]["target"] == str(target), "the name is not in the report")
        check(target.stat().st_size > 10_000, f"{target}: is hardly anything")
        show = json.loads(watched_show(folder))
        print(json.dumps(show), flush=True)
        check(show["outputs"]["stream"]["written"] > 0, "nobody was shown anything")
        check(json.loads(run("devices", "--json", folder=folder))["processor"] != "", "no processor")
    return 0


def watched_show(folder: Path) -> str:
    """The report of five seconds, streamed to one who watches."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    watcher = threading.Thread(target=watch, args=(port,), daemon=True)
    watcher.start()
    options = ["--source", "test", "--no-window", "--stream", str(port), "--duration", "5", "--json"]
    return run("live", *options, folder=folder)


def watch(port: int) -> None:
    """Take what comes, from when somebody listens until they end."""
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=1) as stream:
                stream.settimeout(_PATIENCE)
                while stream.recv(1 << 16):
                    pass
            return
        except OSError:
            time.sleep(0.1)


def run(*words: str, folder: Path) -> str:
    """What a command says on standard output, which is redirected."""
    print("$ stylize-live", *map(ascii, words), flush=True)
    command = [sys.executable, "-m", "stylize_live.cli.app", *words]
    # As a user's: without Python's own switch for UTF-8.
    environment = {
        name: value for name, value in os.environ.items() if name not in ("PYTHONUTF8", "PYTHONIOENCODING")
    }
    done = subprocess.run(command, cwd=folder, env=environment, stdout=subprocess.PIPE, check=False)
    check(done.returncode == 0, f"ended with {done.returncode}")
    return done.stdout.decode("utf-8")


def check(fine: bool, otherwise: str) -> None:
    """End the script unless it is fine."""
    if not fine:
        raise SystemExit(ascii(otherwise))


if __name__ == "__main__":
    sys.exit(main())
