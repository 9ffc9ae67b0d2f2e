"""What all tests share: small networks, small images, and a watch over threads."""

from __future__ import annotations

import atexit
import gc
import os
import random
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

# Several processes that test share the cores; before torch is loaded.
if "PYTEST_XDIST_WORKER" in os.environ:
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import numpy as np
import pytest

from stylize_live import file_locks
from stylize_live.nets import style_folders
from stylize_live.system import replacing

# Workers wait for the process that hands out tests; it loads this file as well, so torch only where needed.
if TYPE_CHECKING:
    import torch

    from stylize_live.training.job import TrainingJob

# What a shell starts in the background ignores Ctrl-C, and what nohup starts a closed terminal; so would all
# that tests start from there.
for _name, _handler in {"SIGINT": signal.default_int_handler, "SIGHUP": signal.SIG_DFL}.items():
    _number = getattr(signal, _name, None)
    if _number is not None and signal.getsignal(_number) is signal.SIG_IGN:
        signal.signal(_number, _handler)

# What is measured once is kept for all tests and the processes they start, not in the user's own cache.
_CACHE = tempfile.TemporaryDirectory(prefix="stylize-cache-")
os.environ["XDG_CACHE_HOME"] = _CACHE.name


MAPS = Path("/proc/self/maps")

# Seconds that a test may take, by its mark, where it does not say so itself.
_TIMEOUTS = {"long": 600, "slow": 1800, "gpu": 600}

# What tests of one system say, and where they are left out.
_ELSEWHERE = {"posix": sys.platform == "win32", "linux": not sys.platform.startswith("linux")}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leave out what another system cannot pass by construction, and give time to what takes long."""
    for item in items:
        seconds = [most for name, most in _TIMEOUTS.items() if item.get_closest_marker(name)]
        if seconds and not item.get_closest_marker("timeout"):
            item.add_marker(pytest.mark.timeout(max(seconds)))
        for name, is_elsewhere in _ELSEWHERE.items():
            if is_elsewhere and item.get_closest_marker(name):
                item.add_marker(pytest.mark.skip(reason=f"is about {name}"))


def pytest_xdist_auto_num_workers() -> int:
    """One more than there are cores: tests wait more than they compute."""
    from stylize_live.engine.cpu.features import cores

    return cores() + 1


def pytest_collection_finish() -> None:
    """Who collects garbage need not look through all that was imported: half a second each time."""
    gc.freeze()
    atexit.register(gc.unfreeze)  # libraries that count what is left at the end complain otherwise


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config
) -> None:
    """Say how the same order comes again, where it may matter."""
    if exitstatus == pytest.ExitCode.TESTS_FAILED:
        seed = config.getoption("randomly_seed")
        terminalreporter.write_line(f"the same order again: pytest --randomly-seed={seed}")


@pytest.fixture(autouse=True)
def same_chances() -> None:
    """Whatever the order, a test draws the same numbers."""
    import torch

    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)


@pytest.fixture(autouse=True)
def no_thread_left() -> Iterator[None]:
    """Fail a test that leaves a thread of ours behind."""
    before = set(threading.enumerate())
    yield
    ours = [t for t in threading.enumerate() if t not in before and t.name.startswith(("stylize-", "photos"))]
    deadline = time.monotonic() + 2
    for thread in ours:
        thread.join(max(0.0, deadline - time.monotonic()))
    left = [t.name for t in threading.enumerate() if t not in before]
    left = [name for name in left if name.startswith(("stylize-", "photos"))]
    assert not left, f"threads left behind: {left}"


@pytest.fixture(autouse=True)
def as_windows_refuses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fail a test in which a file is renamed, replaced or removed that we have open, or in memory, ourselves.

    Windows refuses that; Linux, which would not, tells what is open.
    """
    if not MAPS.exists():
        return
    act = replacing._patiently

    def watched(work: Callable[[], None], *paths: Path) -> None:
        names = [os.path.realpath(path) for path in paths]
        ours = open_files(*names).intersection(names)
        assert not ours, f"open here while it is replaced: {ours}"
        act(work, *paths)

    remove = file_locks._remove

    def watched_folder(folder: Path, file: IO[bytes]) -> None:
        place = os.path.realpath(folder)
        # Mostly nothing is left but the lock, and to ask what is in memory takes milliseconds.
        is_empty = os.listdir(place) == ["lock"]  # noqa: PTH208
        ours = [] if is_empty else [name for name in open_files(f"{place}/") if name != f"{place}/lock"]
        assert not ours, f"open here while it is removed: {ours}"
        remove(folder, file)

    monkeypatch.setattr(replacing, "_patiently", watched)
    monkeypatch.setattr(file_locks, "_remove", watched_folder)


def open_files(*starts: str) -> set[str]:
    """Paths that start so, of files that this process has open or in memory, on Linux."""
    with open(MAPS, encoding="utf-8") as file:  # noqa: PTH123 (tests replace `Path.open`)
        lines = file.read().splitlines()  # of hundreds of libraries: parted only where it matters
    found = {line.split(maxsplit=5)[5] for line in lines if any(start in line for start in starts)}
    for number in os.listdir("/proc/self/fd"):  # noqa: PTH208
        with suppress(OSError):  # that of this listing is gone
            found.add(os.readlink(f"/proc/self/fd/{number}"))  # noqa: PTH115
    return {path for path in found if path.startswith(starts)}


@pytest.fixture(autouse=True)
def few_colors(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Colors are transferred roughly, in a hundredth of the time, but where that is what is tested."""
    from stylize_live.training import color_transfer

    if not request.module.__name__.endswith("test_color_transfer"):
        for name, few in {"_POINTS": 400, "_LINES": 5, "_NODES": 5}.items():
            monkeypatch.setattr(color_transfer, name, few)


@pytest.fixture(autouse=True)
def small_photos(monkeypatch: pytest.MonkeyPatch) -> None:
    """Results are measured on photos a tenth as large, which takes a tenth of the time."""
    from stylize_live.training import style_metrics

    monkeypatch.setattr(style_metrics, "SHORT_SIDE", 112)


@pytest.fixture
def small_features(monkeypatch: pytest.MonkeyPatch) -> None:
    """Training looks through `SmallFeatures`, for tests of all that is not features."""
    from small_features import SmallFeatures

    from stylize_live.training import run

    monkeypatch.setattr(run, "load_features", lambda *_, **__: SmallFeatures())


@pytest.fixture(autouse=True)
def own_styles(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the user's own styles for this test alone; it does not exist yet."""
    folder = tmp_path / "user-data" / "styles"
    monkeypatch.setattr(style_folders, "user_data_path", lambda *_, **__: folder.parent)
    return folder


@pytest.fixture(scope="session")
def _saved_style(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    from tiny import make_checkpoint

    from stylize_live.nets.checkpoint import save_checkpoint

    path = tmp_path_factory.mktemp("style") / "tiny.safetensors"
    save_checkpoint(path, make_checkpoint())
    return path.read_bytes()


@pytest.fixture
def tiny_style(tmp_path: Path, _saved_style: bytes) -> Path:
    """A style file of a tiny untrained network."""
    path = tmp_path / "tiny.safetensors"
    path.write_bytes(_saved_style)
    return path


@pytest.fixture(scope="session")
def features_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """VGG16 with random weights."""
    return _write_vgg(tmp_path_factory.mktemp("features") / "vgg.safetensors", 23, seed=0)


@pytest.fixture(scope="session")
def lpips_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """VGG16 and the five layers of LPIPS with random weights."""
    import torch

    path = tmp_path_factory.mktemp("lpips") / "lpips.safetensors"
    widths = {f"lpips.{i}": channels for i, channels in enumerate((64, 128, 256, 512, 512))}
    return _write_vgg(path, 30, seed=1, more=lambda: {k: torch.rand(n) for k, n in widths.items()})


def _write_vgg(
    path: Path, layers: int, seed: int, more: Callable[[], dict[str, torch.Tensor]] = dict
) -> Path:
    import torch
    from safetensors.torch import save_file
    from torchvision.models.vgg import cfgs, make_layers

    torch.manual_seed(seed)
    network = make_layers(cfgs["D"], batch_norm=False)[:layers]
    save_file({f"features.{k}": v.half() for k, v in network.state_dict().items()} | more(), path)
    return path


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of three."""
    from tiny import random_pixels

    from stylize_live.media.image.io import Still, write_image

    folder = tmp_path / "photos"
    folder.mkdir()
    for i in range(3):
        write_image(folder / f"{i}.png", Still(random_pixels(90 + 7 * i, 80, i)))
    return folder


@pytest.fixture
def job(tmp_path: Path, photos: Path, features_file: Path, tiny_style: Path) -> TrainingJob:
    """A training run of four steps."""
    from tiny import random_pixels

    from stylize_live.media.image.io import Still, write_image
    from stylize_live.nets.checkpoint import StyleInfo
    from stylize_live.training.job import TrainingJob
    from stylize_live.training.settings import TrainSettings

    write_image(tmp_path / "painting.png", Still(random_pixels(100, 80, 9)))
    return TrainingJob(
        paintings=[tmp_path / "painting.png"],
        photos=photos,
        features=features_file,
        target=tmp_path / "style.safetensors",
        start=tiny_style,
        previews=tmp_path / "previews",
        info=StyleInfo("mine"),
        settings=TrainSettings(steps=4, crop=64, painting_size=64, batch=1),
    )


@pytest.fixture
def nothing_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No settings of an OBS, and no password for one."""
    for name in ("HOME", "USERPROFILE", "XDG_CONFIG_HOME", "APPDATA"):
        monkeypatch.setenv(name, str(tmp_path / "nobody"))
    monkeypatch.delenv("OBS_WEBSOCKET_PASSWORD", raising=False)


@pytest.fixture
def cuda() -> torch.device:
    """A GPU, or a skip; a failure where FAIL_WITHOUT_CUDA=1 promises one."""
    import torch

    if torch.cuda.is_available():
        return torch.device("cuda")
    if os.environ.get("FAIL_WITHOUT_CUDA") == "1":
        pytest.fail("FAIL_WITHOUT_CUDA=1, but torch finds no CUDA device")
    pytest.skip("no CUDA device")
