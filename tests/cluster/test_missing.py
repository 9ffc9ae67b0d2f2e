"""Where Ray is missing, or nobody answers, a line says so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image
from places import ROOT, SAMPLES

from stylize_live.cli.app import main
from stylize_live.cluster.session import ray_session
from stylize_live.conversion import dry_run
from stylize_live.errors import UsageError

_WITHOUT_RAY = (
    "import sys; sys.modules['ray'] = None; from stylize_live.cli.app import main; sys.exit(main())"
)


def test_the_package_is_named(tmp_path: Path) -> None:
    words = ["convert", str(SAMPLES / "flower.mp4"), str(tmp_path / "out.mp4"), "--cluster", "auto"]
    run = subprocess.run(
        [sys.executable, "-c", _WITHOUT_RAY, *words], capture_output=True, text=True, check=False, cwd=ROOT
    )
    assert run.returncode == 2
    assert "several workers need Ray" in run.stderr
    assert "ray" in run.stderr.splitlines()[-1]
    assert not list(tmp_path.iterdir())


@pytest.mark.filterwarnings("ignore")  # what Ray's own imports warn of
def test_a_dry_run_says_what_no_cluster_makes(
    tmp_path: Path, tiny_style: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray")
    monkeypatch.setattr(dry_run, "painting_speed", lambda stylizer, size: 1e6)
    moving = tmp_path / "moving.webp"
    images = [Image.new("RGB", (64, 48), color) for color in ("red", "blue")]
    images[0].save(moving, save_all=True, append_images=images[1:], duration=100)
    flower, how = str(SAMPLES / "flower.mp4"), ["--style", str(tiny_style), "--device", "cpu", "--dry-run"]
    for source, target in [(flower, "out.gif"), (flower, "%03d.png"), (str(moving), "out.mp4")]:
        assert main(["convert", source, str(tmp_path / target), *how, "--cluster", "auto"]) == 2
        assert "made in one go, by one machine without a cluster" in capsys.readouterr().out
    for target, options in [("out.gif", []), ("out.mp4", ["--cluster", "auto"])]:
        assert main(["convert", flower, str(tmp_path / target), *how, *options]) == 0
        assert "of painting" in capsys.readouterr().out


@pytest.mark.filterwarnings("ignore")  # what Ray's own imports warn of
def test_rays_client_is_refused() -> None:
    with pytest.raises(UsageError, match="on a machine of the cluster"), ray_session("ray://10.0.0.1:10001"):
        pass


def test_pairs_are_for_one_machine(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = [str(SAMPLES / "flower.mp4"), str(tmp_path / "out.mp4"), "--cluster", "auto"]
    assert main(["convert", *words, "--before-after", str(tmp_path / "pair.jpg")]) == 2
    assert "--before-after is for one machine" in capsys.readouterr().err
