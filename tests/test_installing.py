"""What is missing, and the command that adds it, however the program was installed."""

from __future__ import annotations

import importlib
import shlex
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from stylize_live import install_hints
from stylize_live.cli import advice, convert, devices
from stylize_live.cli.app import main
from stylize_live.config import EngineSettings
from stylize_live.engine import Stylizer, device_selection, runtimes
from stylize_live.engine.cpu import features
from stylize_live.errors import StylizeError, UsageError
from stylize_live.install_hints import cuda_torch_commands, install_command

pytestmark = pytest.mark.posix  # quotes of the shell elsewhere
_RECEIPT = '[tool]\nrequirements = [{ name = "stylize-live"%s }%s]\n'


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the program is installed."""
    folder = tmp_path / "stylize-live"
    folder.mkdir()
    monkeypatch.setattr(install_hints.sys, "prefix", str(folder))
    return folder


@pytest.mark.usefixtures("environment")
def test_pip_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install_hints, "find_spec", lambda name: object())
    python = shlex.quote(sys.executable)
    assert install_command("openvino") == f"{python} -m pip install openvino"
    assert install_command("a", "b") == f"{python} -m pip install a b"


@pytest.mark.usefixtures("environment")
def test_an_environment_without_pip(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(install_hints, "find_spec", lambda name: None)
    assert install_command("openvino") == f"uv pip install --python {shlex.quote(sys.executable)} openvino"


def test_pipx(environment: Path) -> None:
    (environment / "pipx_metadata.json").write_text("{}")
    assert install_command("openvino") == "pipx inject stylize-live openvino"


@pytest.mark.parametrize(
    ("origin", "more", "command"),
    [
        ("", "", "stylize-live"),
        (', directory = "/src/stylize live"', "", "'/src/stylize live'"),
        (', extras = ["obs"], directory = "/src"', "", "'/src[obs]'"),
        (', path = "/dist/stylize_live.whl"', "", "/dist/stylize_live.whl"),
        (', git = "https://a.example/b?rev=main"', "", "'stylize-live @ git+https://a.example/b'"),
        (', specifier = "==0.1.0"', "", "stylize-live==0.1.0"),
        ("", ', { name = "pyvirtualcam" }', "stylize-live"),
    ],
)
def test_uv_tool(environment: Path, origin: str, more: str, command: str) -> None:
    (environment / "uv-receipt.toml").write_text(_RECEIPT % (origin, more))
    given = "--with pyvirtualcam " if more else ""
    assert install_command("openvino") == f"uv tool install --force {given}--with openvino {command}"


def test_uv_tool_keeps_python_and_versions(environment: Path) -> None:
    more = ', { name = "aiortc", extras = ["dev"], specifier = ">=1.16" }'
    (environment / "uv-receipt.toml").write_text(_RECEIPT % ("", more) + 'python = "3.12"\n')
    given = "--python 3.12 --with 'aiortc[dev]>=1.16' --with openvino"
    assert install_command("openvino") == f"uv tool install --force {given} stylize-live"


@pytest.mark.parametrize(
    ("told", "source"),
    [
        (None, ""),
        ("", ""),
        ("[]", ""),
        ('{"url": "file:///a%20b/x.whl", "archive_info": {}}', "--from '/a b/x.whl' "),
        ('{"url": "https://a.example/x.whl", "archive_info": {}}', "--from https://a.example/x.whl "),
        ('{"url": "https://a.example/b", "vcs_info": {"vcs": "git"}}', "--from git+https://a.example/b "),
    ],
)
def test_uvx(told: str | None, source: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whose environment is nobody's to change: the program is run with the package."""
    monkeypatch.setattr(install_hints.sys, "prefix", str(tmp_path / "uv" / "archive-v0" / "AbC"))
    distribution = SimpleNamespace(read_text=lambda name: told)
    monkeypatch.setattr("importlib.metadata.distribution", lambda name: distribution)
    assert install_command("openvino") == f"uvx --with openvino {source}stylize-live"
    assert cuda_torch_commands() == [f"uvx --torch-backend auto {source}stylize-live"]


_AGAIN = "--torch-backend auto --reinstall-package torch --reinstall-package torchvision torch torchvision"


@pytest.mark.parametrize(
    ("pip", "uv", "pipx", "commands"),
    [
        (True, True, False, [f"uv pip install --python PYTHON {_AGAIN}"]),
        (False, False, False, [f"uv pip install --python PYTHON {_AGAIN}"]),
        (
            True,
            False,
            False,
            ["PYTHON -m pip install uv", f"PYTHON -m uv pip install --python PYTHON {_AGAIN}"],
        ),
        (
            False,
            False,
            True,
            ["pipx inject stylize-live uv", f"PYTHON -m uv pip install --python PYTHON {_AGAIN}"],
        ),
    ],
)
def test_torch_for_a_gpu(
    pip: bool, uv: bool, pipx: bool, commands: list[str], environment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if pipx:
        (environment / "pipx_metadata.json").write_text("{}")
    monkeypatch.setattr(install_hints, "find_spec", lambda name: object() if pip else None)
    monkeypatch.setattr(install_hints.shutil, "which", lambda name: "/usr/bin/uv" if uv else None)
    python = shlex.quote(sys.executable)
    assert cuda_torch_commands() == [command.replace("PYTHON", python) for command in commands]


def test_torch_for_a_gpu_in_a_tool(environment: Path) -> None:
    (environment / "uv-receipt.toml").write_text(_RECEIPT % (', directory = "/src"', ""))
    assert cuda_torch_commands() == ["uv tool install --force --torch-backend auto /src"]


@pytest.mark.parametrize(
    "receipt", ["", "[tool", "[tool]\nrequirements = 3\n", "[tool]\nrequirements = [3]\n"]
)
def test_an_unknown_receipt(environment: Path, receipt: str) -> None:
    (environment / "uv-receipt.toml").write_text(receipt)
    assert install_command("openvino") == "uv tool install --force --with openvino stylize-live"


@pytest.mark.parametrize(
    ("settings", "there", "x86", "said"),
    [
        ({}, False, True, True),
        ({"precision": "bfloat16"}, False, True, True),
        ({}, True, True, False),
        ({}, False, False, False),
        ({"runtime": "torch"}, False, True, False),  # wanted so
    ],
)
def test_openvino_is_missed_where_it_would_help(
    settings: dict[str, str],
    there: bool,
    x86: bool,
    said: bool,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(runtimes, "has_package", lambda name: there or name != "openvino")
    monkeypatch.setattr(features, "is_x86", lambda: x86)
    advice.advise(EngineSettings(device="cpu", **settings))  # type: ignore[arg-type]
    words = f"twice as fast with OpenVINO: {install_command('openvino')}"
    assert (words in capsys.readouterr().err) is said


@pytest.mark.parametrize(
    "words", [["live", "--source", "test", "--no-window"], ["convert", "in.mp4", "out.mp4"], ["devices"]]
)
def test_the_commands_say_so(
    words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(*_: object, **__: object) -> None:
        raise UsageError("enough")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(runtimes, "has_package", lambda name: name != "openvino")
    monkeypatch.setattr(features, "is_x86", lambda: True)
    monkeypatch.setattr(device_selection, "choose_device_name", lambda name: "cpu")
    monkeypatch.setattr(Stylizer, "from_settings", stop)
    monkeypatch.setattr(convert, "_run", stop)
    monkeypatch.setattr(devices, "_gpus", list)
    (tmp_path / "in.mp4").write_bytes(b"never opened")
    main(words)
    printed = capsys.readouterr()
    assert f"twice as fast with OpenVINO: {install_command('openvino')}\n" in printed.out + printed.err


@pytest.mark.parametrize(
    ("reason", "hint"),
    [
        (
            "libGL.so.1: cannot open shared object file",
            " (Debian and Ubuntu: sudo apt install libgl1 libglib2.0-0)",
        ),
        ("DLL load failed while importing cv2", ""),
    ],
)
def test_system_libraries_of_opencv(reason: str, hint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Which servers and containers lack, and no package brings."""

    class Finder:
        @staticmethod
        def find_spec(name: str, *_: object) -> None:
            if name == "cv2":
                raise ImportError(reason)

    monkeypatch.delitem(sys.modules, "cv2", raising=False)
    monkeypatch.delitem(sys.modules, "stylize_live.media.libraries", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Finder, *sys.meta_path])
    with pytest.raises(StylizeError) as raised:
        importlib.import_module("stylize_live.media.libraries")
    assert str(raised.value) == f"OpenCV cannot be loaded, {reason}{hint}"
