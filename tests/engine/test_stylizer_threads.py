"""One stylizer, several threads: they wait for each other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from threading import Barrier, Thread

import numpy as np
import pytest
from tiny import random_pixels

from stylize_live.engine import Stylizer
from stylize_live.engine.cpu.torch_backend import TorchCpuBackend
from stylize_live.frame import Frame, Pixels

THREADS, ROUNDS = 4, 6
IMAGES = [random_pixels(96, 72, number) for number in range(THREADS)]


def in_threads(work: Callable[[int], list[Pixels]]) -> list[list[Pixels]]:
    """What each thread painted; all begin together."""
    together = Barrier(THREADS)

    def run(number: int) -> list[Pixels]:
        together.wait(10)
        return work(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(run, range(THREADS)))


@pytest.mark.parametrize("runtime", ["torch", "openvino"])
def test_calls_wait_for_each_other(tiny_style: Path, runtime: str) -> None:
    pytest.importorskip(runtime)
    with Stylizer(tiny_style, device="cpu", runtime=runtime) as stylizer:  # type: ignore[arg-type]
        alone = [stylizer(image) for image in IMAGES]
        for number, painted in enumerate(
            in_threads(lambda number: [stylizer(IMAGES[number]) for _ in range(ROUNDS)])
        ):
            assert all(np.array_equal(image, alone[number]) for image in painted)


def test_streams_and_calls_wait_for_each_other(tiny_style: Path) -> None:
    with Stylizer(tiny_style, device="cpu") as stylizer:
        alone = [stylizer(image) for image in IMAGES]

        def frames(number: int) -> Iterator[Frame]:
            for index in range(ROUNDS):
                yield Frame(IMAGES[number], Fraction(index), 0.0, index)

        def work(number: int) -> list[Pixels]:
            if number % 2:
                return [frame.pixels for frame in stylizer.stream(frames(number))]
            return [stylizer(IMAGES[number]) for _ in range(ROUNDS)]

        for number, painted in enumerate(in_threads(work)):
            assert len(painted) == ROUNDS
            assert all(np.array_equal(image, alone[number]) for image in painted)


@pytest.mark.parametrize(
    "meddle",
    [
        lambda stylizer: stylizer.paint_as("torch float32"),
        lambda stylizer: stylizer.save_state(),
        lambda stylizer: stylizer.restore_state(None),
    ],
)
def test_what_changes_how_it_paints_waits_for_the_image_under_way(
    tiny_style: Path, monkeypatch: pytest.MonkeyPatch, meddle: Callable[[Stylizer], object]
) -> None:
    with Stylizer(tiny_style, device="cpu", runtime="torch", steadiness=0.5) as stylizer:
        stylizer(IMAGES[0])
        meddler = Thread(target=meddle, args=(stylizer,))
        working = TorchCpuBackend.run_network

        def painted(backend: TorchCpuBackend, pixels: Pixels) -> Pixels:
            meddler.start()
            meddler.join(0.1)
            assert meddler.is_alive()
            return working(backend, pixels)

        monkeypatch.setattr(TorchCpuBackend, "run_network", painted)
        assert stylizer(IMAGES[0]).shape == IMAGES[0].shape
        meddler.join(10)
        assert not meddler.is_alive()


def test_a_stream_that_is_not_read_on_is_in_nobodys_way(tiny_style: Path) -> None:
    with Stylizer(tiny_style, device="cpu") as stylizer:
        begun = stylizer.stream(Frame(IMAGES[0], Fraction(index), 0.0, index) for index in range(3))
        next(begun)
        painted = in_threads(lambda number: [stylizer(IMAGES[number])])
        assert [images[0].shape for images in painted] == [image.shape for image in IMAGES]
        assert len(list(begun)) == 2
