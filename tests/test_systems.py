"""The system is asked for in one place, and nothing needs a system that it does not have."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import stylize_live

PACKAGE = Path(stylize_live.__file__).parent
TESTS = Path(__file__).parent
# Outside `system/`. This list gets shorter, never longer.
ASKS = {
    *("bench/programs.py", "cli/machine.py", "engine/processor.py"),
    *("media/camera.py", "media/devices.py", "media/screen_check.py", "media/virtual_camera.py"),
}
ELSEWHERE = {
    "fcntl",
    "grp",
    "msvcrt",
    "posix",
    "pty",
    "pwd",
    "resource",
    "syslog",
    "termios",
    "tty",
    "winreg",
}
# What is for one system as a whole, and is imported there only.
OF_ONE_SYSTEM = {"media/v4l2.py"}
_QUESTIONS = {("sys", "platform"), ("os", "name"), ("platform", "system"), ("platform", "machine")}


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def asks_for_the_system(path: Path) -> bool:
    return any(
        isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and (node.value.id, node.attr) in _QUESTIONS
        for node in ast.walk(tree(path))
    )


def package_files() -> Iterator[tuple[str, Path]]:
    for path in sorted(PACKAGE.rglob("*.py")):
        yield path.relative_to(PACKAGE).as_posix(), path


def test_one_place_asks_which_system_it_is() -> None:
    asking = {name for name, path in package_files() if asks_for_the_system(path)}
    assert {name for name in asking if not name.startswith("system/")} == ASKS


def imported_at_once(body: list[ast.stmt]) -> Iterator[str]:
    """Modules that are imported when a file is, unless a question about the system stands before."""
    for node in body:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.If) and "sys.platform" in ast.unparse(node.test):
            continue
        elif isinstance(node, (ast.If, ast.Try, ast.With)):
            yield from imported_at_once(node.body)
            yield from imported_at_once(getattr(node, "orelse", []))


@pytest.mark.parametrize(
    "path",
    [*(path for name, path in package_files() if name not in OF_ONE_SYSTEM), *sorted(TESTS.glob("*.py"))],
    ids=lambda path: f"{path.parent.name}/{path.name}",
)
def test_modules_of_some_systems_are_imported_there_only(path: Path) -> None:
    """In tests by `pytest.importorskip`, or inside what bears a mark."""
    imported = set(imported_at_once(tree(path).body))
    assert not {name.split(".")[0] for name in imported} & ELSEWHERE
    ours = {f"stylize_live.{name.removesuffix('.py').replace('/', '.')}" for name in OF_ONE_SYSTEM}
    assert not imported & ours


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import fcntl", {"fcntl"}),
        ("import sys\nif sys.platform != 'win32':\n    import fcntl", {"sys"}),
        ("try:\n    import pwd\nexcept ImportError: pass", {"pwd"}),
        ("from resource import getrlimit", {"resource", "resource.getrlimit"}),
        ("def later():\n    import fcntl", set()),
    ],
)
def test_imports_are_found(text: str, found: set[str]) -> None:
    assert set(imported_at_once(ast.parse(text).body)) == found


def text_without_encoding(path: Path) -> Iterator[str]:
    """Calls that would read or write text in the code page of the machine."""
    for node in ast.walk(tree(path)):
        if not isinstance(node, ast.Call) or any(word.arg == "encoding" for word in node.keywords):
            continue
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        modes = [
            arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
        ]
        as_text = any(keyword.arg in ("text", "universal_newlines") for keyword in node.keywords)
        reads_or_writes = called in ("read_text", "write_text")
        opens = called == "open" and modes in (["r"], ["w"], ["a"], ["x"])
        starts = called in ("run", "Popen", "check_output") and as_text
        if reads_or_writes or opens or starts:
            yield ast.unparse(node)


@pytest.mark.parametrize("path", [path for _, path in package_files()], ids=lambda path: path.name)
def test_text_has_an_encoding(path: Path) -> None:
    # Not files of text: films, and what a package says of itself.
    others = ("av.open", "direct_url.json")
    assert [call for call in text_without_encoding(path) if not any(word in call for word in others)] == []


def renaming(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            called = ast.unparse(node.func)
            if called in ("os.replace", "os.rename", "shutil.move") or node.func.attr == "rename":
                yield called


def test_files_are_replaced_with_patience() -> None:
    """Elsewhere, a virus scanner that looks at a file for a moment would end a run on Windows."""
    found = {name: list(renaming(path)) for name, path in package_files()}
    assert {name for name, calls in found.items() if calls} == {"system/replacing.py"}
