"""HDR and wide colours become what ordinary screens show.

The whole way, from stored values to values for a BT.709 screen, is one function of three numbers. It is
computed once into a table of 65 x 65 x 65 colours, which FFmpeg's `lut3d` filter reads between the
points of: 10 ms for a 1920x1080 frame instead of half a second.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from stylize_live.file_locks import scratch_folder
from stylize_live.media.color.side_data import side_data_of
from stylize_live.media.libraries import av

Floats = npt.NDArray[np.float64]

PQ, HLG = 16, 18  # AVCOL_TRC_SMPTE2084, AVCOL_TRC_ARIB_STD_B67
_NAMES = {PQ: "PQ", HLG: "HLG"}
_BT2020, _P3 = 9, (11, 12)  # AVColorPrimaries
# From linear light in these primaries to linear light in BT.709's; rows add up to 1.
_TO_709 = {
    "BT.2020": (
        (1.660491, -0.587641, -0.072850),
        (-0.124550, 1.132900, -0.008350),
        (-0.018151, -0.100579, 1.118730),
    ),
    "P3": ((1.224940, -0.224940, 0.0), (-0.042057, 1.042057, 0.0), (-0.019638, -0.078636, 1.098274)),
}
_LUMA = np.array([0.2126, 0.7152, 0.0722])
_LUMA_2020 = np.array([0.2627, 0.6780, 0.0593])
# BT.2408: what a white sheet of paper has in HDR, and so the white of an SDR screen, in cd/m2.
_WHITE = 203.0
_USUAL_PEAK = 1000.0
_BRIGHTEST = 10_000.0
_SDR_GAMMA = 2.4  # BT.1886
_POINTS = 65
# FFmpeg's scaler makes 16 bits of 8 by multiplying with 256, so its white is not the largest number.
WHITE_OF_SCALER, WHITE_OF_ARRAYS = 65_280, 65_535


@dataclass(frozen=True, slots=True)
class HdrInfo:
    """Colours that an ordinary screen cannot show as they are stored.

    Attributes:
        primaries: "BT.2020", "P3" or "BT.709".
        transfer: `PQ`, `HLG`, or 0 for an ordinary one.
        peak: the brightest that the video claims to reach, in cd/m2; 0 where it is not HDR.
    """

    primaries: str
    transfer: int
    peak: float

    @staticmethod
    def of(frame: av.VideoFrame) -> HdrInfo | None:
        """What a frame says of itself; None for one that is ordinary, or does not say."""
        transfer = frame.color_trc if frame.color_trc in _NAMES else 0
        primaries = "BT.709"
        if frame.color_primaries == _BT2020 or (transfer and frame.color_primaries not in _P3):
            primaries = "BT.2020"
        elif frame.color_primaries in _P3:
            primaries = "P3"
        if primaries == "BT.709":
            return None
        return HdrInfo(primaries, transfer, _peak(frame) if transfer else 0.0)

    @property
    def note(self) -> str:
        """What is done about it, in words."""
        if self.transfer:
            name = _NAMES[self.transfer]
            return f"HDR ({name}, up to {self.peak:.0f} cd/m2) was tone-mapped to SDR: colours are BT.709"
        return f"wide colours ({self.primaries}) were brought into BT.709"


@contextmanager
def to_sdr_filter(hdr: HdrInfo) -> Iterator[tuple[str, dict[str, str]]]:
    """FFmpeg's name and arguments of the filter that brings images of `PLANAR_RGB_16` into BT.709.

    The filter takes its table from a file, which lives only until this is left. Its vector code is for
    planes only: 10 ms for 1920x1080, where packed pixels take 55.
    """
    with scratch_folder() as folder:
        path = folder / "tonemap.cube"
        table = _table(hdr)
        with path.open("w", encoding="ascii") as file:
            file.write(f"LUT_3D_SIZE {_POINTS}\n")
            # All at once: 0.15 s, where `np.savetxt` takes 0.67 for the same bytes.
            file.write(("%.6f %.6f %.6f\n" * len(table)) % tuple(table.ravel().tolist()))
        yield "lut3d", {"file": str(path), "interp": "tetrahedral"}


def _peak(frame: av.VideoFrame) -> float:
    """How bright the video gets: its measured peak, else its mastering screen's, else the usual one."""
    data = side_data_of(frame)
    light = data.get("CONTENT_LIGHT_LEVEL")
    if light is not None:
        brightest = float(struct.unpack_from("=I", light)[0])
        if brightest >= _WHITE:
            return min(brightest, _BRIGHTEST)
    screen = data.get("MASTERING_DISPLAY_METADATA")
    if screen is not None:
        # Ten pairs of integers: primaries, white, darkest, brightest; then what of it is known.
        values = struct.unpack_from("=22i", screen)
        brightest = float(values[18]) / values[19] if values[21] and values[19] else 0.0
        if brightest >= _WHITE:
            return min(brightest, _BRIGHTEST)
    return _USUAL_PEAK


def _table(hdr: HdrInfo) -> Floats:
    """The result for a lattice of the scaler's colours, red fastest: (_POINTS ** 3, 3)."""
    scale = WHITE_OF_SCALER / WHITE_OF_ARRAYS
    steps = np.minimum(np.linspace(0, 1, _POINTS) / scale, 1)
    blue, green, red = np.meshgrid(steps, steps, steps, indexing="ij")
    return scale * to_sdr(np.stack([red, green, blue], axis=-1).reshape(-1, 3), hdr)


def to_sdr(stored: Floats, hdr: HdrInfo) -> Floats:
    """The exact function behind the table.

    Args:
        stored: (..., 3) RGB in [0, 1] as stored.
        hdr: what the values mean.

    Returns:
        (..., 3) RGB in [0, 1] for a BT.709 screen.
    """
    light = _linear(hdr.transfer)(stored)
    light = _into_gamut(light @ np.array(_TO_709[hdr.primaries]).T)
    strongest = np.maximum(light.max(axis=-1, keepdims=True), 1e-9)
    # The strongest colour decides for all three: the hue stays, and none of them can overflow.
    wanted = _roll_off(strongest, hdr.peak) if hdr.transfer else np.minimum(strongest, _WHITE)
    shown: Floats = np.clip(light * (wanted / strongest) / _WHITE, 0, 1) ** (1 / _SDR_GAMMA)
    return shown


def _into_gamut(light: Floats) -> Floats:
    """Mix in grey of the same luminance until no colour is negative; colours inside are not touched."""
    luminance = (light @ _LUMA)[..., None]
    least = light.min(axis=-1, keepdims=True)
    share = np.where(least < 0, luminance / np.maximum(luminance - least, 1e-9), 1.0)
    mixed: Floats = np.maximum(luminance + share * (light - luminance), 0)
    return mixed


def _roll_off(light: Floats, peak: float) -> Floats:
    """BT.2390's curve in PQ: unchanged up to a knee, then bent so that `peak` becomes white."""
    top = float(_pq(np.array(peak)))
    white = float(_pq(np.array(_WHITE))) / top
    knee = 1.5 * white - 0.5
    if knee >= 1:
        return np.minimum(light, _WHITE)
    value = np.minimum(_pq(light) / top, 1)
    t = np.clip((value - knee) / (1 - knee), 0, 1)
    bent = (
        (2 * t**3 - 3 * t**2 + 1) * knee + (t**3 - 2 * t**2 + t) * (1 - knee) + (3 * t**2 - 2 * t**3) * white
    )
    return _from_pq(np.where(value < knee, value, bent) * top)


_M1, _M2, _C1, _C2, _C3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875


def _pq(light: Floats) -> Floats:
    """cd/m2 to PQ in [0, 1] (SMPTE ST 2084)."""
    power = (light / _BRIGHTEST) ** _M1
    value: Floats = ((_C1 + _C2 * power) / (1 + _C3 * power)) ** _M2
    return value


def _from_pq(value: Floats) -> Floats:
    power = value ** (1 / _M2)
    light: Floats = _BRIGHTEST * (np.maximum(power - _C1, 0) / (_C2 - _C3 * power)) ** (1 / _M1)
    return light


def _from_hlg(value: Floats) -> Floats:
    """HLG to cd/m2 on the screen of 1000 cd/m2 it is meant for (BT.2100)."""
    a, b, c = 0.17883277, 0.28466892, 0.55991073
    scene = np.where(value <= 0.5, value**2 / 3, (np.exp((value - c) / a) + b) / 12)
    luminance = np.maximum(scene @ _LUMA_2020, 1e-9)[..., None]
    light: Floats = _USUAL_PEAK * luminance**0.2 * scene
    return light


def _from_sdr(value: Floats) -> Floats:
    light: Floats = _WHITE * value**_SDR_GAMMA
    return light


def _linear(transfer: int) -> Callable[[Floats], Floats]:
    return {PQ: _from_pq, HLG: _from_hlg}.get(transfer, _from_sdr)
