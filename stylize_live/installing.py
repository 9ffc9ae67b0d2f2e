"""How a missing package gets into the environment that this program runs in."""

from __future__ import annotations

import shlex
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import urlsplit

_PROGRAM = "stylize-live"


def command_for(*packages: str) -> str:
    """The command that adds packages: by pipx or uv, if one of them installed the program, or by pip.

    Args:
        packages: as a package index knows them.
    """
    named = " ".join(map(_quoted, packages))
    environment = Path(sys.prefix)
    if (environment / "pipx_metadata.json").is_file():
        return f"pipx inject {_quoted(environment.name)} {named}"
    receipt = environment / "uv-receipt.toml"
    if receipt.is_file():
        return _by_uv_tool(receipt, packages)
    if find_spec("pip") is None:  # as in environments that uv made
        return f"uv pip install --python {_quoted(sys.executable)} {named}"
    return f"{_quoted(sys.executable)} -m pip install {named}"


def _by_uv_tool(receipt: Path, packages: tuple[str, ...]) -> str:
    """Install the tool once more from where it came from, with all it was given and these packages."""
    program, given = _PROGRAM, []
    try:
        requirements = tomllib.loads(receipt.read_text(encoding="utf-8"))["tool"]["requirements"]
        for requirement in requirements:
            if requirement["name"] == _PROGRAM:
                program = _origin(requirement)
            else:
                given.append(requirement["name"])
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        pass  # another uv's receipt: from the index then
    extra = " ".join(f"--with {_quoted(name)}" for name in dict.fromkeys([*given, *packages]))
    return f"uv tool install --force {extra} {_quoted(program)}"


def _origin(requirement: dict[str, object]) -> str:
    """What `uv tool install` was told: a name, folder, file or address, and extras."""
    extras = requirement.get("extras")
    marks = f"[{','.join(map(str, extras))}]" if isinstance(extras, list) and extras else ""
    for kind in ("directory", "editable", "path", "url"):
        if kind in requirement:
            return f"{requirement[kind]}{marks}"
    if "git" in requirement:
        address = str(requirement["git"])
        return f"{_PROGRAM}{marks} @ git+{urlsplit(address)._replace(query='').geturl()}"
    return f"{_PROGRAM}{marks}"


def _quoted(text: str) -> str:
    return subprocess.list2cmdline([text]) if sys.platform == "win32" else shlex.quote(text)
