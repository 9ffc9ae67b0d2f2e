"""ONNX files paint what the style paints."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from tiny import make_checkpoint

from stylize_live.cli.app import main
from stylize_live.engine.style_loading import load_style
from stylize_live.nets import export
from stylize_live.nets.checkpoint import Checkpoint, load_checkpoint, save_checkpoint

onnx = pytest.importorskip("onnx")
onnxruntime = pytest.importorskip("onnxruntime")


def test_a_style_of_any_size(tmp_path: Path, tiny_style: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "style.onnx"
    assert main(["export", str(tiny_style), "-o", str(target)]) == 0
    assert "style.onnx" in capsys.readouterr().out
    session = onnxruntime.InferenceSession(str(target))
    network = load_style(str(tiny_style)).network()
    rng = np.random.default_rng(0)
    for height, width in ((50, 41), (8, 8), (120, 200)):
        image = rng.random((1, 3, height, width), dtype=np.float32)
        with torch.inference_mode():
            expected = network(torch.from_numpy(image)).numpy()
        np.testing.assert_allclose(session.run(None, {"image": image})[0], expected, atol=export.TOLERANCE)
    assert session.get_modelmeta().custom_metadata_map["name"] == load_style(str(tiny_style)).info.name


def test_boldness_is_fixed_in_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bold, faithful = make_checkpoint(seed=0), make_checkpoint(seed=1)
    style = tmp_path / "two.safetensors"
    save_checkpoint(style, replace(bold, faithful=faithful.weights))
    written: list[Checkpoint] = []

    def note(checkpoint: Checkpoint, target: Path) -> float:
        written.append(checkpoint)
        target.touch()
        return 0.0

    monkeypatch.setattr(export, "export_onnx", note)
    assert main(["export", str(style), "-o", str(tmp_path / "a.onnx"), "--boldness", "0.25"]) == 0
    assert written[0].digest() == load_checkpoint(style).at(0.25).digest()
    assert main(["export", str(style), "-o", str(tmp_path / "b.onnx"), "--boldness", "2"]) == 2


def test_what_differs_is_not_kept(
    tmp_path: Path, tiny_style: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A file that gives back what it gets, for a style that does not."""
    kind = onnx.TensorProto.FLOAT
    ends = [
        onnx.helper.make_tensor_value_info(n, kind, (1, 3, "h", "w")) for n in (export.INPUT, export.OUTPUT)
    ]
    same = onnx.helper.make_node("Identity", [export.INPUT], [export.OUTPUT])
    graph = onnx.helper.make_graph([same], "same", ends[:1], ends[1:])
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 18)], ir_version=8)
    monkeypatch.setattr(export, "_onnx", lambda *_: model.SerializeToString())
    assert main(["export", str(tiny_style), "-o", str(tmp_path / "x.onnx")]) == 5
    assert "differs from torch" in capsys.readouterr().err
    assert {path.name for path in tmp_path.iterdir()} <= {tiny_style.name}


@pytest.mark.parametrize("words", [["-o", "x.txt"], ["-o", "there.onnx"], ["-o", "no/such/folder.onnx"]])
def test_targets_that_are_refused(
    words: list[str], tmp_path: Path, tiny_style: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("there.onnx").write_bytes(b"mine")
    monkeypatch.setattr(export, "_onnx", lambda *_: b"")
    assert main(["export", str(tiny_style), *words]) in (2, 5)
    assert Path("there.onnx").read_bytes() == b"mine"
