"""docs/installed.md names the folders that are really used."""

from __future__ import annotations

from pathlib import Path

import pytest
from places import ROOT
from platformdirs.macos import MacOS
from platformdirs.unix import Unix

PAGE = (ROOT / "docs" / "installed.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("system", [Unix, MacOS])
def test_folders_that_stay(
    system: type[Unix | MacOS], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HOME", "USERPROFILE"):  # the latter is Windows'
        monkeypatch.setenv(name, str(tmp_path))
    for name in ("XDG_CACHE_HOME", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    folders = system("stylize-live", appauthor=False)
    for path in (folders.user_data_path, folders.user_cache_path):
        assert f"`~/{path.relative_to(tmp_path).as_posix()}`" in PAGE
