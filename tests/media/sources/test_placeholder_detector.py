"""Black frames and placeholders are noticed; frames of the world are not."""

from __future__ import annotations

import numpy as np
import pytest

from stylize_live.frame import Pixels
from stylize_live.media.sources.devices import Camera
from stylize_live.media.sources.placeholder_detector import PlaceholderDetector

OBS = Camera(10, "OBS Virtual Camera", "/dev/video10", virtual=True)
OTHER = Camera(11, "Some VCam", "/dev/video11", virtual=True)
WEBCAM = Camera(0, "HD Webcam", "/dev/video0")
RNG = np.random.default_rng(0)
CARD = RNG.integers(0, 256, (90, 160, 3), np.uint8)
BLACK = np.full((90, 160, 3), 16, np.uint8)


def said(camera: Camera, *images: Pixels) -> list[str | None]:
    """What is said of frames that come once a second."""
    detector = PlaceholderDetector(camera)
    return [detector.check(image, 100.0 + second) for second, image in enumerate(images)]


def noisy(image: Pixels) -> Pixels:
    return (image // 2 + RNG.integers(0, 3, image.shape, np.uint8)).astype(np.uint8)


@pytest.mark.parametrize(
    ("camera", "image", "words"),
    [
        (OBS, CARD, "OBS Virtual Camera stands still: press Start Virtual Camera in OBS"),
        (OBS, BLACK, "OBS Virtual Camera gives black frames: press Start"),
        (OTHER, CARD, "Some VCam stands still: is the program that feeds it running?"),
        (WEBCAM, BLACK, "HD Webcam gives black frames: is its cover closed"),
    ],
)
def test_after_three_seconds(camera: Camera, image: Pixels, words: str) -> None:
    answers = said(camera, *[image] * 5)
    assert answers[:3] == [None] * 3
    assert all(answer is not None and answer.startswith(words) for answer in answers[3:])


def test_a_real_camera_may_see_something_that_stands_still() -> None:
    assert said(WEBCAM, *[CARD] * 9) == [None] * 9


def test_noise_is_a_sign_of_life_but_not_of_light() -> None:
    assert said(OBS, *(noisy(CARD) for _ in range(9))) == [None] * 9
    assert said(WEBCAM, *(noisy(BLACK) for _ in range(5)))[-1] is not None


def test_it_is_taken_back_when_frames_come() -> None:
    assert said(OBS, *[CARD] * 5, noisy(CARD), noisy(CARD))[-2:] == [None, None]
    assert said(WEBCAM, *[BLACK] * 5, CARD)[-1] is None
