"""Options that make x264 give equal bytes for equal frames."""

from __future__ import annotations

from stylize_live.media.libraries import cv2

_AVX_512F = 13  # CV_CPU_AVX_512F of OpenCV, which Python has no name for
# All that x264 uses on a processor with AVX-512, but AVX-512.
_UP_TO_AVX2 = "MMX2,SSE2Fast,SSSE3,SSE4.2,AVX,FMA3,BMI2,AVX2"


def deterministic_options() -> dict[str, str]:
    """Options for libx264 that keep it from its AVX-512 code, where the processor would run it.

    With that code, the macroblock tree decides differently from run to run at widths that are no multiple
    of 128, as if it read past the end of rows (seen with the x264 of PyAV 18.1), and a resumed video could
    not equal an uninterrupted one. Costs 7 % of the encoder's time.
    """
    if cv2.checkHardwareSupport(_AVX_512F):
        return {"x264-params": f"asm={_UP_TO_AVX2}"}
    return {}
