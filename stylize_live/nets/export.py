"""Styles for other programs: ONNX, of any image size, checked against torch."""

from __future__ import annotations

import io
import json
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import asdict
from pathlib import Path

import numpy as np
import torch

from stylize_live.errors import SinkError, UsageError
from stylize_live.files import replacing
from stylize_live.install_hints import install_command
from stylize_live.nets.checkpoint import Checkpoint
from stylize_live.privacy import disable_telemetry

INPUT, OUTPUT = "image", "painted"
# Largest difference from torch that passes, for images in [0, 1]: a tenth of a level of 255.
TOLERANCE = 4e-4
_CHECKED_SIZES = ((72, 96), (101, 77), (64, 200))  # (height, width); some not whole strides


def export_onnx(checkpoint: Checkpoint, target: Path) -> float:
    """Write a style's network as ONNX.

    Input `image`, (1, 3, H, W) float32 RGB in [0, 1], H and W any size; output `painted`, the same.
    Name, artist and licence stand in the file's metadata.

    Args:
        checkpoint: the style.
        target: file to write or replace; appears whole or not at all.

    Returns:
        The largest difference from torch over a few sizes, in ONNX Runtime, of images in [0, 1].

    Raises:
        UsageError: the extra `export` is not installed.
        SinkError: the file cannot be written, or does not paint what torch paints.
    """
    disable_telemetry()
    try:
        import onnx  # noqa: F401
        import onnxruntime
        import onnxscript  # noqa: F401
    except ImportError as error:
        raise UsageError(
            f"export needs the package {error.name}: {install_command('onnx', 'onnxruntime', 'onnxscript')}"
        ) from None
    network = checkpoint.network()
    try:
        with replacing(target) as temporary:
            temporary.write_bytes(_onnx(network, checkpoint))
            session = onnxruntime.InferenceSession(str(temporary), providers=["CPUExecutionProvider"])
            difference = max(_difference(network, session, size) for size in _CHECKED_SIZES)
            if not difference <= TOLERANCE:
                raise SinkError(f"{target}: differs from torch by {difference:.2g}, not written")
    except OSError as error:
        raise SinkError(f"{target}: cannot be written: {error.strerror or error}") from None
    return difference


def _onnx(network: torch.nn.Module, checkpoint: Checkpoint) -> bytes:
    example = torch.rand(1, 3, 64, 96)
    free = torch.export.Dim.DYNAMIC
    with _quiet():
        program = torch.onnx.export(
            network,
            (example,),
            dynamo=True,
            input_names=[INPUT],
            output_names=[OUTPUT],
            dynamic_shapes=({2: free, 3: free},),
            verbose=False,
        )
    assert program is not None
    model = program.model_proto
    for key, value in {**asdict(checkpoint.info), "training": json.dumps(checkpoint.training)}.items():
        entry = model.metadata_props.add()
        entry.key, entry.value = key, value
    data: bytes = model.SerializeToString()
    return data


@contextmanager
def _quiet() -> Iterator[None]:
    """Silence the exporter's progress and warnings."""
    level = logging.root.manager.disable
    logging.disable(logging.WARNING)
    try:
        with warnings.catch_warnings(), redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        logging.disable(level)


def _difference(network: torch.nn.Module, session: object, size: tuple[int, int]) -> float:
    height, width = size
    image = torch.rand(1, 3, height, width, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        expected = network(image).numpy()
    found = session.run([OUTPUT], {INPUT: image.numpy()})[0]  # type: ignore[attr-defined]
    return float(np.abs(found - expected).max())
