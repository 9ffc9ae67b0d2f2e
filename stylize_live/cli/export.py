"""`stylize-live export`: a style for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from stylize_live.cli.console import print_line, stderr
from stylize_live.cli.targets import refuse_existing
from stylize_live.errors import UsageError
from stylize_live.options import DEFAULT_BOLDNESS


def export(
    style: str,
    /,
    *,
    output: Annotated[Path, Parameter(alias="-o")],
    boldness: float = DEFAULT_BOLDNESS,
    overwrite: bool = False,
) -> int:
    """Write a style as an ONNX file, for browsers, phones and plug-ins.

    For example: export starry-night -o starry-night.onnx

    The file takes "image", float32 RGB in [0, 1] of shape (1, 3, height, width) and any size, and gives
    "painted", the same. It is compared with torch before it is kept. Smoothing over time, strength and
    stroke size are not in it.

    Parameters
    ----------
    style
        Name of a style, a style file, or a blend such as starry-night:0.6,great-wave:0.4.
    output
        File to write, ending in .onnx.
    boldness
        How freely the style paints, from 0, close to the image, to 1. Fixed in the file.
    overwrite
        Replace a file that exists.
    """
    if output.suffix != ".onnx":
        raise UsageError(f"{output}: only .onnx can be written")
    if not overwrite:
        refuse_existing([output])

    from stylize_live.engine.style_loading import load_style
    from stylize_live.nets.export import export_onnx

    checkpoint = load_style(style).at(boldness)
    with stderr.status("exporting"):
        difference = export_onnx(checkpoint, output)
    print_line(f"{output}  {output.stat().st_size / 1e6:.1f} MB, differs from torch by {difference:.1g} of 1")
    return 0
