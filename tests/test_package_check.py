"""What `make package-check` finds wrong with a package; it itself needs internet and minutes."""

from __future__ import annotations

import importlib.util
import tarfile
import zipfile
from pathlib import Path

import pytest
from places import ROOT

_SCRIPT = ROOT / ".ci" / "package_check.py"
_SPEC = importlib.util.spec_from_file_location("package_check", _SCRIPT)
assert _SPEC is not None
assert _SPEC.loader is not None
package_check = importlib.util.module_from_spec(_SPEC)
_SPEC.loader.exec_module(package_check)

LICENCES = {f"x.dist-info/licenses/{name}" for name in ("LICENSE", "docs/credits.md", "docs/licences.md")}
STYLE = "stylize_live/nets/weights/starry-night.safetensors"
PAGE = "stylize_live/studio/static/index.html"


@pytest.fixture(scope="module")
def whole() -> set[str]:
    return package_check.needed() | LICENCES


def test_what_is_whole_is_right(whole: set[str]) -> None:
    assert {STYLE, PAGE, "stylize_live/py.typed"} <= whole
    assert package_check.problems("x.whl", whole, 1000) == []


@pytest.mark.parametrize("name", [STYLE, PAGE, "x.dist-info/licenses/LICENSE"])
def test_what_is_missing_is_named(name: str, whole: set[str]) -> None:
    (said,) = package_check.problems("x.whl", whole - {name}, 1000)
    assert said.startswith("x.whl: missing: ")
    assert said.endswith(Path(name).name)


@pytest.mark.parametrize(
    "name",
    [
        "stylize_live/__pycache__/frame.cpython-311.pyc",
        "tests/cli/test_cli.py",
        "tests/.pytest_cache/README.md",
        ".mypy_cache/3.11/x.json",
        "stylize_live/nets/weights/sunset.state.safetensors",
    ],
)
def test_what_should_not_be_there_is_named(name: str, whole: set[str]) -> None:
    assert package_check.problems("x.whl", whole | {name}, 1000) == [f"x.whl: should not be there: {name}"]


def test_size(whole: set[str]) -> None:
    assert package_check.problems("x.whl", whole, 31_000_000) == ["x.whl: 31.0 MB, more than 30"]
    assert package_check.problems("x.tar.gz", whole, 31_000_000) == []
    assert package_check.problems("x.tar.gz", whole, 33_000_000) == ["x.tar.gz: 33.0 MB, more than 32"]


def test_files_of_both_kinds_are_read(tmp_path: Path) -> None:
    file = tmp_path / "frame.py"
    file.write_text("")
    with zipfile.ZipFile(tmp_path / "x.whl", "w") as wheel:
        wheel.write(file, "stylize_live/frame.py")
    with tarfile.open(tmp_path / "x.tar.gz", "w:gz") as source:
        source.add(file, "x-0.1.0/stylize_live/frame.py")
    for package in ("x.whl", "x.tar.gz"):
        assert package_check.names_in(tmp_path / package) == {"stylize_live/frame.py"}
