"""What this package depends on: licences are listed, versions with known weaknesses are not taken."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import tomllib
from types import ModuleType

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from places import ROOT

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# The newest version with a known weakness that a file, a style or a guest of the studio could use, or that
# a tool of ours would meet; each with its advisory in pyproject.toml.
KNOWN_BAD = {
    "h11": "0.14.0",
    "jinja2": "3.1.5",
    "onnx": "1.20.1",
    "opencv-python": "4.11.0.86",
    "pillow": "12.2.0",
    "starlette": "1.3.0",
    "torch": "2.9.1",
}


@pytest.fixture(scope="module")
def licences() -> ModuleType:
    place = ROOT / "benchmarks" / "licences.py"
    spec = importlib.util.spec_from_file_location("licences", place)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def requirements() -> list[Requirement]:
    extras = (texts for extra, texts in PROJECT["optional-dependencies"].items() if extra != "dev")
    return [
        Requirement(text)
        for text in [*PROJECT["dependencies"], *(text for texts in extras for text in texts)]
    ]


def test_licences_are_those_of_what_is_installed(licences: ModuleType) -> None:
    listed = licences.rows(licences.PAGE.read_text(encoding="utf-8"))
    for name in licences.needed():
        assert name in listed, "run: python benchmarks/licences.py"
        said, _ = listed[name]
        assert licences.families(said), f"{name}: {said} says nothing"
        assert licences.families(said) == licences.families(licences.licence(name)), name


def test_every_direct_dependency_is_listed(licences: ModuleType) -> None:
    listed = licences.rows(licences.PAGE.read_text(encoding="utf-8"))
    assert {canonicalize_name(requirement.name) for requirement in requirements()} <= listed.keys()


@pytest.mark.parametrize("name", KNOWN_BAD)
def test_known_bad_versions_are_not_taken(name: str) -> None:
    (requirement,) = [one for one in requirements() if one.name == name]
    assert not requirement.specifier.contains(KNOWN_BAD[name])


def test_what_is_installed_is_taken() -> None:
    for requirement in requirements():
        try:
            version = importlib.metadata.version(requirement.name)
        except importlib.metadata.PackageNotFoundError:
            continue
        assert requirement.specifier.contains(version, prereleases=True), requirement


def test_every_range_has_a_beginning() -> None:
    for requirement in requirements():
        assert any(part.operator == ">=" for part in requirement.specifier), requirement
