"""Motion: what counts as far, the same in every run."""

import numpy as np
from places import ROOT

from stylize_live.engine.cpu.optical_flow import STILL_PIXELS, went_far


def test_motion_counts_as_far_from_its_limit_on():
    steps = STILL_PIXELS + np.array([[-0.01, 0.01]], np.float32)
    along = np.stack([steps, np.zeros_like(steps)], axis=-1)

    assert went_far(along).tolist() == [[False, True]]
    assert went_far(-along[..., ::-1]).tolist() == [[False, True]]


def test_nothing_is_measured_by_what_differs_with_its_place_in_memory():
    """In 48x85 numbers, some last digits of `cv2.magnitude` are others four bytes on."""
    places = [
        path.name
        for path in (ROOT / "stylize_live").rglob("*.py")
        if "cv2.magnitude(" in path.read_text("utf-8")
    ]

    assert not places
