"""A Python that writes down whom it calls and what it writes, itself and in every Python it starts.

Only what goes through Python is seen; what libraries in C leave behind in the home folder is found there.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

# In a module that every Python imports first. Processes share the file: a line is one call.
_HOOK = """
import json, os, sys
_log = os.open(os.environ["WATCHED_LOG"], os.O_WRONLY | os.O_CREAT | os.O_APPEND)
_CALLS = ("socket.connect", "socket.getaddrinfo", "socket.gethostby", "socket.getnameinfo", "socket.send",
          "urllib.", "http.", "ftplib.", "smtplib.")
_CHANGES = {"os.mkdir": 0, "os.rename": 1, "os.link": 1, "os.symlink": 1, "os.truncate": 0, "os.mkfifo": 0}
_WRITING = os.O_WRONLY | os.O_RDWR | os.O_CREAT
def _hook(event, args):
    if event.startswith(_CALLS):
        what = "calls", event + " " + str(args[1 if event.startswith("socket.connect") else 0])
    elif event in _CHANGES:
        what = "writes", os.path.abspath(os.fsdecode(args[_CHANGES[event]]))
    elif event == "open" and args[2] & _WRITING and not isinstance(args[0], int):
        what = "writes", os.path.abspath(os.fsdecode(args[0]))
    else:
        return
    os.write(_log, (json.dumps(what) + "\\n").encode())
sys.addaudithook(_hook)
"""
_TELEMETRY = """
import socket
socket.getaddrinfo("localhost", 9)
"""
_RUN = """
import json, os, sys
from stylize_live.cli.app import main
log = os.open(os.environ["WATCHED_LOG"], os.O_WRONLY | os.O_APPEND)
for words in json.loads(sys.argv[1]):
    os.write(log, (json.dumps(["command", words[0]]) + "\\n").encode())
    code = main(words)
    os.write(log, (json.dumps(["code", code]) + "\\n").encode())
"""


@dataclass
class Seen:
    """What one command did."""

    code: int | None
    calls: list[str]
    writes: list[Path]


def run_watched(commands: list[list[str]], folder: Path, code: str = _RUN) -> tuple[dict[str, Seen], str]:
    """Run commands, one after the other, in one process with a home of its own.

    Args:
        commands: words of each; each command once.
        folder: empty; gets "home", "work" (where the commands run) and "scratch" (for temporary files).
        code: what the process runs, told the commands as JSON.

    Returns:
        What each did, by its name; and what was said on stderr.
    """
    for name in ("home", "work", "scratch", "first"):
        (folder / name).mkdir(exist_ok=True)
    (folder / "first" / "sitecustomize.py").write_text(_HOOK)
    # Installed, and as eager as can be.
    (folder / "first" / "openvino_telemetry").mkdir()
    (folder / "first" / "openvino_telemetry" / "__init__.py").write_text(_TELEMETRY)
    log = folder / "log"
    foreign = ("XDG_", "TORCH", "TRITON", "ORT_")  # what was set for this process
    kept = {name: value for name, value in os.environ.items() if not name.startswith(foreign)}
    done = subprocess.run(
        [sys.executable, "-c", code, json.dumps(commands)],
        env=kept
        | {
            "WATCHED_LOG": str(log),
            "HOME": str(folder / "home"),
            "TMPDIR": str(folder / "scratch"),
            "PYTHONPATH": os.pathsep.join([str(folder / "first"), *sys.path]),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        cwd=folder / "work",
        capture_output=True,
        text=True,
        timeout=600,
    )
    seen: dict[str, Seen] = {"": Seen(done.returncode, [], [])}
    current = seen[""]
    for line in log.read_text().splitlines():
        kind, what = json.loads(line)
        match kind:
            case "command":
                current = seen[what] = Seen(None, [], [])
            case "code":
                current.code = what
            case "calls":
                current.calls.append(what)
            case "writes":
                current.writes.append(Path(what))
    return seen, done.stderr
