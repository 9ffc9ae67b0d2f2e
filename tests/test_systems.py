"""The system is asked for in one place, and nothing needs a system that it does not have."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from one_test import of_all
from places import TESTS

import stylize_live

PACKAGE = Path(stylize_live.__file__).parent
# Outside `system/`. This list gets shorter, never longer.
ASKS = {
    *("cli/machine.py", "engine/cpu/features.py"),
    *(
        "media/sources/camera.py",
        "media/sources/devices.py",
        "media/sinks/display_check.py",
        "media/sinks/virtual_camera.py",
    ),
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
OF_ONE_SYSTEM = {"media/sources/v4l2.py"}
_QUESTIONS = {("sys", "platform"), ("os", "name"), ("platform", "system"), ("platform", "machine")}


@cache
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


@of_all([*(path for name, path in package_files() if name not in OF_ONE_SYSTEM), *TESTS.glob("*.py")])
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


@of_all(path for _, path in package_files())
def test_text_has_an_encoding(path: Path) -> None:
    # Not files of text: videos, and what a package says of itself.
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


# What Windows does not have, or takes for something else, where a test names it.
_NOT_ON_WINDOWS = {
    "os": {"fork", "geteuid", "getuid", "killpg", "mkfifo", "openpty", "setsid", "statvfs", "wait4"},
    "signal": {"SIGALRM", "SIGHUP", "SIGKILL", "SIGSTOP", "SIGUSR1", "SIGUSR2"},
}
_NOT_IN_NAMES = re.compile(r'[<>:"|]')
_FOLDERS = ("/proc/", "/sys/", "/dev/fd/")
_MARKS = ("mark.posix", "mark.linux", "mark.slow", "mark.gpu")
# Whoever uses these bears a mark, or goes without where there is none.
_HELPERS = {("media/formats/test_pipes.py", "named_pipe"), ("media/encode/test_writer.py", "small_disk")}


def strange_to_windows(node: ast.AST) -> Iterator[str]:
    """What a test does that can do nothing but fail there; not what a question about the system guards."""
    if isinstance(node, ast.If) and "sys.platform" in ast.unparse(node.test):
        return
    if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
        if node.attr in _NOT_ON_WINDOWS.get(node.value.id, ()):
            yield ast.unparse(node)
    elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div):
        parts = getattr(node.right, "values", [node.right])  # an f-string has several
        words = [part.value for part in parts if isinstance(part, ast.Constant)]
        if any(isinstance(word, str) and _NOT_IN_NAMES.search(word) for word in words):
            yield ast.unparse(node)
    elif isinstance(node, ast.Constant) and str(node.value).startswith(_FOLDERS):
        yield ast.unparse(node)
    for child in ast.iter_child_nodes(node):
        yield from strange_to_windows(child)


def unmarked(body: list[ast.stmt]) -> Iterator[ast.FunctionDef]:
    """The functions that run on every system."""
    for node in body:
        marks = " ".join(map(ast.unparse, getattr(node, "decorator_list", [])))
        if any(mark in marks for mark in _MARKS):
            continue
        if isinstance(node, ast.ClassDef):
            yield from unmarked(node.body)
        elif isinstance(node, ast.FunctionDef):
            yield node


def of_some_systems(module: ast.Module) -> bool:
    """Whether a mark is on the whole file, or it needs a terminal of POSIX."""
    for node in module.body:
        text = ast.unparse(node)
        if text.startswith("from terminal import") or (
            text.startswith("pytestmark") and any(mark in text for mark in _MARKS)
        ):
            return True
    return False


@of_all(TESTS.glob("test_*.py"))
def test_tests_of_every_system_need_nothing_that_windows_lacks(path: Path) -> None:
    """What is about POSIX bears a mark, so that the rest can pass there."""
    module = tree(path)
    functions = [] if of_some_systems(module) else list(unmarked(module.body))
    found = {function.name: told for function in functions if (told := list(strange_to_windows(function)))}
    assert {name: told for name, told in found.items() if (path.name, name) not in _HELPERS} == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("os.mkfifo(path)", ["os.mkfifo"]),
        ("os.kill(1, signal.SIGHUP)", ["signal.SIGHUP"]),
        ("(folder / 'a:b').touch()", ["folder / 'a:b'"]),
        ("(folder / f'{x} <b>.png').touch()", ["folder / f'{x} <b>.png'"]),
        ("os.listdir('/proc/self/fd')", ["'/proc/self/fd'"]),
        ("if sys.platform != 'win32':\n    os.mkfifo(path)", []),
        ("folder / 'a & b [1].png'", []),
        ("getattr(signal, 'SIGHUP', None)", []),
    ],
)
def test_what_windows_lacks_is_found(text: str, found: list[str]) -> None:
    assert list(strange_to_windows(ast.parse(text))) == found


# In a process of its own: everything once as it is here, then our own modules again where the rest of Python
# says that it is another system, without what that does not have.
IMPORTED = """
import importlib, os, pkgutil, signal, socket, sys
import stylize_live

def imported():
    failed = {}
    for module in pkgutil.walk_packages(stylize_live.__path__, "stylize_live."):
        try:
            importlib.import_module(module.name)
        except Exception as error:
            failed[module.name] = repr(error)
    return failed

assert imported() == {}
lacking = {
    "win32": {
        os: "O_CLOEXEC O_DIRECTORY O_NOFOLLOW O_NONBLOCK WNOHANG chown fchmod fchown fork geteuid getgid "
        "getloadavg getpgid getuid killpg lchown mkfifo nice openpty posix_fadvise pread pwrite "
        "sched_getaffinity sendfile setsid statvfs sysconf uname wait3 wait4",
        signal: "SIGALRM SIGCHLD SIGHUP SIGKILL SIGPIPE SIGQUIT SIGTSTP SIGUSR1 SIGUSR2 SIGWINCH alarm "
        "pthread_kill pthread_sigmask setitimer sigwait",
        socket: "AF_UNIX MSG_DONTWAIT SO_REUSEPORT",
    },
    "darwin": {os: "posix_fadvise sched_getaffinity", socket: "MSG_NOSIGNAL"},
}[sys.argv[1]]
gone = "fcntl grp posix pty pwd resource syslog termios tty" if sys.argv[1] == "win32" else ""
for name in [name for name in sys.modules if name.partition(".")[0] == "stylize_live"]:
    del sys.modules[name]
for name in gone.split():
    sys.modules[name] = None
for module, names in lacking.items():
    for name in names.split():
        if hasattr(module, name):
            delattr(module, name)
sys.modules["msvcrt"] = sys  # any module will do
sys.platform = sys.argv[1]
import stylize_live

print(sorted(imported()))
"""


@pytest.mark.long
@pytest.mark.linux
@pytest.mark.parametrize(("system", "left_out"), [("win32", sorted(OF_ONE_SYSTEM)), ("darwin", [])])
def test_every_module_is_imported_on_other_systems(system: str, left_out: list[str]) -> None:
    done = subprocess.run([sys.executable, "-c", IMPORTED, system], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    ours = [f"stylize_live.{name.removesuffix('.py').replace('/', '.')}" for name in left_out]
    assert done.stdout.splitlines()[-1] == str(ours)
