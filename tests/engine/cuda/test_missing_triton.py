"""Where Triton is missing, one warning says so, and the command that adds it."""

from __future__ import annotations

import pytest

from stylize_live.engine.cuda.triton import build
from stylize_live.engine.cuda.triton.build import build_or_fallback
from stylize_live.install_hints import install_command
from stylize_live.system import gpus


@pytest.fixture(autouse=True)
def unsaid() -> None:
    build._name_triton.cache_clear()


def without_triton() -> None:
    raise ModuleNotFoundError("No module named 'triton'")


@pytest.mark.parametrize(("system", "package"), [("win32", "triton-windows"), ("linux", "triton")])
def test_once_and_by_the_name_it_has_there(
    system: str, package: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(gpus.sys, "platform", system)
    for instead in ("painting with torch's kernels", "the processor measures motion"):
        assert build_or_fallback(without_triton, instead=instead, ours="ours") is None
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert warnings == [
        "without Triton, painting takes two to four times as long and the processor measures motion: "
        + install_command(package)
    ]


def test_where_it_is_there_nothing_is_said(caplog: pytest.LogCaptureFixture) -> None:
    assert build_or_fallback(lambda: 7, instead="something", ours="ours") == 7
    assert caplog.text == ""


def test_what_it_cannot_build_is_another_warning(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise RuntimeError("no C compiler")

    assert build_or_fallback(fail, instead="painting with torch's kernels", ours="ours") is None
    assert "Triton cannot build ours: no C compiler" in caplog.text
    assert "without Triton" not in caplog.text
