"""What is promised of systems and Pythons is what the check asks for; the index is not asked here."""

from __future__ import annotations

import importlib.util
import sys
from types import ModuleType

import pytest
from places import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


@pytest.fixture
def script(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    monkeypatch.syspath_prepend(ROOT / ".ci")
    spec = importlib.util.spec_from_file_location("requirements_check", ROOT / ".ci/requirements_check.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize(
    ("there", "code"), [("promised", 0), ("everything", 1), ("nothing", 1), ("not on Windows", 1)]
)
def test_the_readme_is_right_or_not(
    script: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    there: str,
    code: int,
) -> None:
    promised = set(script.PROMISED)
    systems = {
        "promised": promised,
        "everything": promised | set(script.IMPOSSIBLE),
        "nothing": set(),
        "not on Windows": promised - {"x86_64-pc-windows-msvc"},
    }[there]
    monkeypatch.setattr(script, "resolve", lambda system, python: (system in systems, "no wheels of torch"))
    monkeypatch.setattr(sys, "argv", ["requirements_check.py", "--python", "3.13"])
    assert script.main() == code
    said = capsys.readouterr()
    wrong = len(systems ^ promised)
    assert said.out.count("WRONG Python 3.13") == wrong
    assert said.err.count("no wheels of torch") == len(promised - systems)


def test_it_asks_for_what_the_readme_promises(script: ModuleType) -> None:
    table = README.partition("### What runs where")[2]
    assert f"{script.PYTHONS[0]} to {script.PYTHONS[-1]}" in table
    assert all(f"| {name}" in table.replace(" and newer", "") for name in script.PROMISED.values())
    assert "Macs with Intel, Windows on ARM" in table


def test_the_workflow_tries_every_system() -> None:
    workflow = (ROOT / ".github/workflows/ci.yml").read_text(encoding="utf-8")
    for words in (
        *('windows-latest, python: "3.12"', 'windows-latest, python: "3.13"', 'macos-14, python: "3.13"'),
        *('ubuntu-latest, python: "3.14"', 'python-version: "3.11"'),
        *(".ci/try_out.py", ".ci/requirements_check.py", "stylize-live devices", "-m pytest"),
    ):
        assert words in workflow
