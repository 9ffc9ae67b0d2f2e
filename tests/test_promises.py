"""What docs/security.md promises is held by tests that exist."""

from __future__ import annotations

import ast
import re

import pytest
from places import ROOT, TESTS

PAGE = ROOT / "docs" / "security.md"
NAMED = sorted(set(re.findall(r"`([\w/]*test_\w+\.py)::(\w+)`", PAGE.read_text(encoding="utf-8"))))


def test_the_page_names_tests() -> None:
    assert len(NAMED) > 30


@pytest.mark.parametrize(("file", "name"), NAMED)
def test_a_promise_is_held(file: str, name: str) -> None:
    tree = ast.parse((TESTS / file).read_text(encoding="utf-8"))
    assert name in {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}


def test_every_promise_has_its_test() -> None:
    """Each row of a table of promises names one."""
    tables = re.split(r"\n\n", PAGE.read_text(encoding="utf-8"))
    promises = [table for table in tables if table.startswith("| promise")]
    assert len(promises) >= 6
    for table in promises:
        for row in table.splitlines()[2:]:
            assert "::" in row, row
