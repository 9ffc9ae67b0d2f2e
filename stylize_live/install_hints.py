"""How a missing package gets into the environment that this program runs in."""

from __future__ import annotations

import json
import re
import shutil
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from stylize_live.system.commands import program, quote

PROGRAM = "stylize-live"
# Folders of uv's cache in which `uvx` and `uv run --with` make environments, which nobody changes later.
_UV_CACHE = re.compile(r"(archive|environments|builds)-v\d+")
_TORCH = ("torch", "torchvision")
_SUITS_THE_GPU = "--torch-backend auto"  # uv asks NVIDIA's driver which CUDA it knows


def install_command(*packages: str) -> str:
    """The command that adds packages: by pipx or uv, if one of them installed the program, or by pip.

    Args:
        packages: as a package index knows them.
    """
    named = " ".join(map(quote, packages))
    if _is_pipx():
        return f"pipx inject {quote(Path(sys.prefix).name)} {named}"
    if _receipt().is_file():
        return _by_uv_tool(_withs(packages))
    if _is_uvx():
        return _by_uvx(_withs(packages))
    if find_spec("pip") is None:  # as in environments that uv made
        return f"uv pip install --python {quote(sys.executable)} {named}"
    return f"{program(sys.executable)} -m pip install {named}"


def cuda_torch_commands() -> list[str]:
    """The commands that put a torch for the GPU that is there in the place of one without CUDA.

    Only uv finds out which of PyTorch's builds suits a driver, so that it is added where it is missing.
    """
    if _receipt().is_file():
        return [_by_uv_tool([_SUITS_THE_GPU])]
    if _is_uvx():
        return [_by_uvx([_SUITS_THE_GPU])]
    again = " ".join(f"--reinstall-package {name}" for name in _TORCH)
    install = f"pip install --python {quote(sys.executable)} {_SUITS_THE_GPU} {again} {' '.join(_TORCH)}"
    if shutil.which("uv") or not (_is_pipx() or find_spec("pip")):
        return [f"uv {install}"]
    return [install_command("uv"), f"{program(sys.executable)} -m uv {install}"]


def _is_pipx() -> bool:
    return (Path(sys.prefix) / "pipx_metadata.json").is_file()


def _is_uvx() -> bool:
    return _UV_CACHE.fullmatch(Path(sys.prefix).parent.name) is not None


def _receipt() -> Path:
    return Path(sys.prefix) / "uv-receipt.toml"


def _withs(packages: tuple[str, ...]) -> list[str]:
    return [f"--with {quote(name)}" for name in packages]


def _by_uvx(words: list[str]) -> str:
    """Run the program once more from where it came from, with more words for uv."""
    origin = _install_source()
    source = f"--from {quote(origin)} " if origin != PROGRAM else ""
    return f"uvx {' '.join(words)} {source}{PROGRAM}"


def _install_source() -> str:
    """A file, folder or address, or the name alone if it came from an index (PEP 610)."""
    from importlib import metadata  # slow, and needed by few

    try:
        told = json.loads(metadata.distribution(PROGRAM).read_text("direct_url.json") or "")
        address = urlsplit(str(told["url"]))
        if address.scheme == "file":
            return url2pathname(address.path)
        vcs = told.get("vcs_info")
        return f"{vcs['vcs']}+{told['url']}" if vcs else str(told["url"])
    except (metadata.PackageNotFoundError, ValueError, LookupError, TypeError, AttributeError):
        return PROGRAM


def _by_uv_tool(words: list[str]) -> str:
    """Install the tool once more from where it came from, with all it was given and more words."""
    named, given = PROGRAM, []
    try:
        tool = tomllib.loads(_receipt().read_text(encoding="utf-8"))["tool"]
        for requirement in tool["requirements"]:
            origin = _origin(requirement)
            if requirement["name"] == PROGRAM:
                named = origin
            else:
                given.append(f"--with {quote(origin)}")
        if "python" in tool:
            given.insert(0, f"--python {quote(str(tool['python']))}")
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        pass  # another uv's receipt: from the index then
    return f"uv tool install --force {' '.join(dict.fromkeys([*given, *words]))} {quote(named)}"


def _origin(requirement: dict[str, Any]) -> str:
    """What `uv tool install` was told: a name, folder, file or address, with extras and versions."""
    extras = requirement.get("extras")
    marks = f"[{','.join(map(str, extras))}]" if isinstance(extras, list) and extras else ""
    for kind in ("directory", "editable", "path", "url"):
        if kind in requirement:
            return f"{requirement[kind]}{marks}"
    if "git" in requirement:
        address = str(requirement["git"])
        return f"{requirement['name']}{marks} @ git+{urlsplit(address)._replace(query='').geturl()}"
    return f"{requirement['name']}{marks}{requirement.get('specifier', '')}"
