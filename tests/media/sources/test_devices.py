"""Cameras by number and name, and an honest list of what there is."""

from __future__ import annotations

import json
import struct
import sys
from pathlib import Path

import pytest

from stylize_live.cli import devices as command
from stylize_live.cli.app import main
from stylize_live.engine import speed_cache
from stylize_live.engine.cpu import features
from stylize_live.errors import NoCameraError
from stylize_live.media.formats.codecs import CODECS
from stylize_live.media.formats.encoders import Encoder, list_encoders
from stylize_live.media.libraries import cv2
from stylize_live.media.sources import devices
from stylize_live.media.sources.devices import Camera, find_camera, is_virtual_name, list_cameras

WEBCAM = Camera(0, "HD Webcam C920", "/dev/video0", modes=("MJPG 1920x1080", "YUYV 640x480"))
SECOND = Camera(2, "HD Webcam C270", "/dev/video2")
OBS = Camera(10, "OBS Virtual Camera", "/dev/video10", virtual=True)
IDLE = Camera(11, "StylizeCam", "/dev/video11", virtual=True, captures=False)


@pytest.fixture
def four_cameras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "find_cameras", lambda: [WEBCAM, SECOND, OBS, IDLE])


@pytest.mark.usefixtures("four_cameras")
class TestFind:
    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("0", WEBCAM),
            ("10", OBS),
            ("/dev/video2", SECOND),
            ("hd webcam c920", WEBCAM),
            ("c270", SECOND),
            (" obs ", OBS),
            ("Virtual", OBS),
        ],
    )
    def test_number_path_or_part_of_the_name(self, text: str, expected: Camera) -> None:
        assert find_camera(text) == expected

    def test_several_fit(self) -> None:
        with pytest.raises(NoCameraError, match="several cameras: 0: HD Webcam C920, 2: HD Webcam C270;"):
            find_camera("webcam")

    @pytest.mark.parametrize("text", ["1", "elgato", ""])
    def test_none_fits(self, text: str) -> None:
        with pytest.raises(NoCameraError, match=r"available: 0: HD .*10: OBS Virtual Camera \(virtual\)"):
            find_camera(text)


@pytest.mark.usefixtures("four_cameras")
@pytest.mark.parametrize("text", ["11", "stylizecam"])
def test_an_idle_virtual_camera_is_told_from_a_missing_one(text: str) -> None:
    with pytest.raises(NoCameraError, match="nothing feeds the virtual camera 11: StylizeCam"):
        find_camera(text)


def test_the_whole_name_beats_a_part(monkeypatch: pytest.MonkeyPatch) -> None:
    cameras = [Camera(0, "Cam"), Camera(1, "Cam Pro"), Camera(2, "My Cam")]
    monkeypatch.setattr(devices, "find_cameras", lambda: cameras)
    assert find_camera("cam").index == 0
    assert find_camera("cam p").index == 1


def test_no_camera_at_all(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(devices, "find_cameras", list)
    with pytest.raises(NoCameraError, match="none is connected"):
        find_camera("0")


@pytest.mark.parametrize(
    ("name", "virtual"),
    [("OBS Virtual Camera", True), ("Dummy video device (0x0000)", True), ("HD Webcam C920", False)],
)
def test_virtual_names(name: str, virtual: bool) -> None:
    assert is_virtual_name(name) is virtual


@pytest.mark.linux
def test_nodes_that_do_not_answer_are_told_by_sysfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nodes, names = tmp_path / "dev", tmp_path / "class"
    nodes.mkdir()
    (names / "video10").mkdir(parents=True)
    (names / "video10" / "name").write_text("Some Camera\n")
    (nodes / "video10").symlink_to(nodes / "unplugged")
    (nodes / "video2").write_text("not a device: it answers no ioctl")
    (nodes / "video-link").write_text("")
    monkeypatch.setattr(devices, "_NODES", nodes)
    monkeypatch.setattr(devices, "_CLASS", names)
    assert [(camera.index, camera.name, camera.virtual) for camera in list_cameras()] == [
        (10, "Some Camera", False)
    ]


class Kernel:
    """Answers like a driver: two formats, one with discrete sizes and one with a range."""

    def __init__(self, capabilities: int, driver: bytes = b"uvcvideo") -> None:
        self.capabilities, self.driver = capabilities, driver

    def ioctl(self, node: int, number: int, question: bytes) -> bytes:
        if number == 0x80685600:
            return struct.pack("16s32s32sIII12x", self.driver, b"Card", b"", 0, 0x80000000, self.capabilities)
        index = struct.unpack_from("I", question)[0]
        if number == 0xC0405602:
            return self._format(index)
        return self._size(index, question)

    def _format(self, index: int) -> bytes:
        if index > 1:
            raise OSError
        fourcc = (b"MJPG", b"YUYV")[index]
        return struct.pack("III32s4s16x", index, 1, 0, b"", fourcc)

    def _size(self, index: int, question: bytes) -> bytes:
        if question[4:8] == b"YUYV":
            return struct.pack("III6I8x", index, 0, 3, 2, 800, 2, 1, 600, 1)
        if index > 1:
            raise OSError
        return struct.pack("III6I8x", index, 0, 1, *((640, 480), (1920, 1080))[index], 0, 0, 0, 0)


@pytest.mark.linux
@pytest.mark.parametrize(
    ("kernel", "expected"),
    [
        (Kernel(0x1), [Camera(0, "Card", "", 200, False, True)]),
        (Kernel(0x2, b"v4l2 loopback"), [Camera(0, "Card", "", 200, True, False)]),
        (Kernel(0x800000), []),
    ],
    ids=["camera", "idle loopback", "metadata node"],
)
def test_what_the_kernel_tells(
    kernel: Kernel, expected: list[Camera], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stylize_live.media.sources import v4l2

    (tmp_path / "video0").write_text("")
    monkeypatch.setattr(devices, "_NODES", tmp_path)
    monkeypatch.setattr(v4l2.fcntl, "ioctl", kernel.ioctl)
    found = list_cameras()
    assert [(c.index, c.name, c.virtual, c.captures) for c in found] == [
        (c.index, c.name, c.virtual, c.captures) for c in expected
    ]
    for camera in found:
        assert camera.modes == ("MJPG 1920x1080", "YUYV 800x600", "MJPG 640x480")


def test_a_list_that_cannot_be_had_is_empty(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import cv2_enumerate_cameras

    def fail(backend: int) -> None:
        raise RuntimeError("no such backend")

    monkeypatch.setattr(cv2_enumerate_cameras, "enumerate_cameras", fail)
    monkeypatch.setattr(devices.sys, "platform", "win32")
    assert list_cameras() == []
    assert "cannot be read: no such backend" in caplog.text


@pytest.mark.parametrize(("system", "backend"), [("win32", cv2.CAP_DSHOW), ("darwin", cv2.CAP_AVFOUNDATION)])
def test_without_a_list_numbers_are_opened_all_the_same(
    system: str, backend: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "cv2_enumerate_cameras", None)
    monkeypatch.setattr(devices.sys, "platform", system)
    assert find_camera(" 2 ") == Camera(2, "camera 2", backend=backend)
    with pytest.raises(NoCameraError, match=r"'logitech': the list of .* cannot be read: .*by number"):
        find_camera("logitech")


def test_encoders() -> None:
    found = {encoder.name: encoder for encoder in list_encoders()}
    assert found["libx264"] == Encoder("libx264", "h264", hardware=False, usable=True)
    assert all(encoder.codec in CODECS for encoder in found.values())


def inventory(**others: object) -> command.Inventory:
    nothing = {
        "cameras": [],
        "screen": None,
        "window": "DISPLAY is not set",
        "processor": "A processor, 2 cores, AVX2",
        "limits": {},
        "network": "torch float32: the only arithmetic that this processor is quick at",
        "speeds": {},
        "faster": "",
        "gpus": [],
        "unused_gpu": "",
        "encoders": [],
        "ndi": None,
    }
    return command.Inventory(**{**nothing, **others})


def show(
    found: command.Inventory, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> str:
    monkeypatch.setattr(command, "take_inventory", lambda: found)
    assert main(["devices"]) == 0
    return capsys.readouterr().out


def test_honest_when_there_is_nothing(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = show(inventory(), monkeypatch, capsys)
    for words in ("none connected", "none installed", "cannot be opened: DISPLAY", "runs on the CPU"):
        assert words in out


def test_what_there_is(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    found = inventory(
        cameras=[WEBCAM, IDLE],
        screen=(1920, 1080),
        window=None,
        gpus=["A GPU, 8 GiB"],
        encoders=[Encoder("libx264", "h264", False, True), Encoder("h264_nvenc", "h264", True, True)],
    )
    out = show(found, monkeypatch, capsys)
    for words in ("0: HD Webcam C920", "MJPG 1920x1080", "nothing feeds it now", "1920x1080", "h264_nvenc"):
        assert words in out


def test_json(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(command, "take_inventory", lambda: inventory(cameras=[WEBCAM]))
    assert main(["devices", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["cameras"][0]["name"] == "HD Webcam C920"
    assert found["gpus"] == []


def test_how_the_network_is_computed_and_why(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = inventory(
        limits={"ONEDNN_MAX_CPU_ISA": "AVX2"},
        network="openvino int8: fastest here",
        speeds={"openvino float32": 20.2, "openvino int8": 13.01},
    )
    out = " ".join(show(found, monkeypatch, capsys).split())
    for words in (
        "A processor, 2 cores, AVX2",
        "limited by ONEDNN_MAX_CPU_ISA=AVX2",
        "openvino int8: fastest here",
        "openvino float32 20.2 ms, openvino int8 13.0 ms",
    ):
        assert words in out


def test_what_is_missing_is_said_unless_a_gpu_paints(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    advice = "painting would be about twice as fast with OpenVINO: pipx inject stylize-live openvino"
    assert advice in show(inventory(faster=advice), monkeypatch, capsys)
    assert advice not in show(inventory(faster=advice, gpus=["A GPU, 8 GiB"]), monkeypatch, capsys)


def test_measured_anew_on_request(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    forgotten: list[bool] = []
    monkeypatch.setattr(speed_cache, "forget", lambda: forgotten.append(True))
    monkeypatch.setattr(command, "take_inventory", inventory)
    assert main(["devices"]) == 0
    assert forgotten == []
    assert main(["devices", "--measure"]) == 0
    assert forgotten == [True]


def test_computing_here() -> None:
    found = command._computing()
    assert features.instruction_set() in found["processor"]
    assert found["network"]
