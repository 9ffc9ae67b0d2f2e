"""The stream for OBS: real readers on loopback that come, go, hang and are slow."""

from __future__ import annotations

import io
import itertools
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction

import numpy as np
import pytest
from live_fakes import make_frame
from waiting import eventually

from stylize_live.cli.app import _fill_bare_flags
from stylize_live.errors import SinkError, UsageError
from stylize_live.frame import Frame
from stylize_live.media.image.jpeg import encode_jpeg
from stylize_live.media.libraries import av
from stylize_live.media.sinks import stream_server
from stylize_live.media.sinks.nut_muxer import NutMuxer
from stylize_live.media.sinks.stream_server import StreamServer, parse_address
from stylize_live.media.sources.network import StreamSource
from stylize_live.system.clock import monotonic

SIZE = (64, 48)
RED = (200, 30, 30)


def colored(color: tuple[int, int, int], size: tuple[int, int] = SIZE) -> Frame:
    return Frame(np.full((size[1], size[0], 3), color, np.uint8), Fraction(0), monotonic(), 0)


@contextmanager
def feeding(server: StreamServer, *colors: tuple[int, int, int]) -> Iterator[None]:
    """Put frames of these colours in turn, a hundred a second, from a thread."""
    ending = threading.Event()

    def feed() -> None:
        for color in itertools.cycle(colors):
            if ending.wait(0.01):
                return
            server.write(colored(color))

    thread = threading.Thread(target=feed, name="stylize-test-feeder")
    thread.start()
    yield
    ending.set()
    thread.join()


@pytest.fixture
def server() -> Iterator[StreamServer]:
    with StreamServer("0", SIZE) as server:
        yield server


def port_of(server: StreamServer) -> int:
    return int(server.url.rpartition(":")[2])


def connected(server: StreamServer) -> socket.socket:
    return socket.create_connection(("127.0.0.1", port_of(server)), timeout=5)


def test_a_reader_sees_the_right_colors_and_rising_times(server: StreamServer) -> None:
    with feeding(server, RED), av.open(server.url, format="nut", timeout=5) as container:
        video = container.streams.video[0]
        assert (video.width, video.height, video.codec_context.name) == (*SIZE, "mjpeg")
        frames = list(itertools.islice(container.decode(video), 5))
    times = [frame.time for frame in frames]
    assert times == sorted(set(times))
    assert np.abs(frames[-1].to_ndarray(format="rgb24").astype(int) - RED).max() <= 2


def test_our_own_source_reads_it(server: StreamServer) -> None:
    with feeding(server, RED), StreamSource(server.url) as source:
        frame = next(iter(source))
    assert source.size == SIZE
    assert np.abs(frame.pixels.astype(int) - RED).max() <= 2


def test_readers_come_and_go(server: StreamServer) -> None:
    assert not server.watched
    with feeding(server, RED):
        for _ in range(2):
            with connected(server) as one, connected(server) as two:
                assert one.recv(4) == two.recv(4) == b"nut/"
                assert server.watched
            eventually(lambda: not server.watched)


def test_a_frame_that_does_not_change_is_sent_again(server: StreamServer) -> None:
    server.write(colored(RED))
    with av.open(server.url, format="nut", timeout=5) as container:
        assert len(list(itertools.islice(container.decode(video=0), 2))) == 2


def test_a_hanging_reader_neither_disturbs_others_nor_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_server, "_HANGING_SECONDS", 0.2)
    rng = np.random.default_rng(0)
    noise = Frame(rng.integers(0, 256, (720, 1280, 3), np.uint8), Fraction(0), 0.0, 0)
    with StreamServer("0", (1280, 720)) as server, connected(server) as hanging:
        eventually(lambda: server.watched)
        server.write(noise)
        with av.open(server.url, format="nut", timeout=5) as container:
            frames = container.decode(video=0)
            for _ in range(40):
                server.write(noise)
                if next(frames) is not None and len(server._readers) == 1:
                    break
            eventually(lambda: len(server._readers) == 1)
            server.write(noise)
            assert next(frames).width == 1280
        assert hanging.recv(4) == b"nut/"


def test_a_slow_reader_gets_the_newest(server: StreamServer) -> None:
    newest = server._newest
    for index in range(5):
        server.write(make_frame(index, SIZE))
    number, jpeg = newest.after(0, 0)
    assert number == 5
    assert newest.after(5, 0.01) == (5, jpeg)  # again, encoded once
    assert jpeg == encode_jpeg(make_frame(4, SIZE).pixels)


def test_nothing_is_encoded_while_nobody_reads(server: StreamServer, monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[int] = []
    monkeypatch.setattr(
        stream_server,
        "encode_jpeg",
        lambda pixels: encoded.append(int(pixels[-1, -1, 0])) or encode_jpeg(pixels),
    )
    for index in range(5):
        server.write(make_frame(index, SIZE))
    assert encoded == []
    with connected(server):
        eventually(lambda: encoded)
    assert encoded[0] == 4  # the first four never were


def test_too_many_readers_are_turned_away(server: StreamServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream_server, "_MOST_READERS", 1)
    with connected(server):
        eventually(lambda: server.watched)
        with connected(server) as second:
            assert second.recv(1) == b""


def test_other_sizes_are_scaled_into_the_stream_s(server: StreamServer) -> None:
    server.write(colored(RED, (128, 48)))
    with av.open(server.url, format="nut", timeout=5) as container:
        image = next(container.decode(video=0)).to_ndarray(format="rgb24").astype(int)
    assert image.shape == (48, 64, 3)
    assert np.abs(image[24, 32] - RED).max() <= 4
    assert image[2].max() < 20


def test_closing_ends_readers_and_frees_the_port() -> None:
    server = StreamServer("0", SIZE)
    server.write(colored(RED))
    with connected(server) as reader:
        assert reader.recv(4) == b"nut/"
        server.close()
        while reader.recv(1 << 16):
            pass
    server.close()
    StreamServer(str(port_of(server)), SIZE).close()


def test_a_taken_port_is_said() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as other,
        pytest.raises(SinkError, match=r"cannot serve a stream at 127\.0\.0\.1:.*try another port"),
    ):
        StreamServer(str(other.getsockname()[1]), SIZE)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("auto", ("127.0.0.1", 9710)),
        ("9000", ("127.0.0.1", 9000)),
        ("0.0.0.0:9000", ("0.0.0.0", 9000)),
        ("tcp://host.local:9000/", ("host.local", 9000)),
        ("[::1]:9000", ("::1", 9000)),
    ],
)
def test_addresses(text: str, address: tuple[str, int]) -> None:
    assert parse_address(text) == address


@pytest.mark.parametrize("text", ["", "host", "http://host:80", "1.2.3.4:99999", ":80", "::1:80"])
def test_no_addresses(text: str) -> None:
    with pytest.raises(UsageError, match="is not a valid address for stream"):
        parse_address(text)


def test_every_frame_is_late_to_a_reader(monkeypatch: pytest.MonkeyPatch) -> None:
    """Else players wait with frames that they collected before they showed the first."""
    moments = itertools.count(100.0, 1 / 30)
    monkeypatch.setattr("stylize_live.media.sinks.nut_muxer.monotonic", lambda: next(moments))
    muxer = NutMuxer((16, 16), Fraction(30))
    jpeg = encode_jpeg(np.zeros((16, 16, 3), np.uint8))
    stream = io.BytesIO(b"".join(muxer.add(jpeg) for _ in range(30)))
    muxer.close()
    with av.open(stream, format="nut") as container:
        packets = [packet for packet in container.demux() if packet.pts is not None]
    times = [float(packet.pts * packet.time_base) for packet in packets]
    gaps = np.diff(times)
    assert len(gaps) == 29
    assert gaps.min() > 0.5 / 30
    assert gaps.max() < 0.95 / 30


def test_a_long_stream_does_not_grow() -> None:
    muxer = NutMuxer((16, 16), Fraction(30))
    jpeg = encode_jpeg(np.zeros((16, 16, 3), np.uint8))
    lengths = [len(muxer.add(jpeg)) for _ in range(2000)]
    muxer.close()
    assert max(lengths[1:]) < len(jpeg) + 64
    assert lengths[0] > len(jpeg) + 100  # with the header


def test_a_long_stream_gives_readers_nothing_to_remember() -> None:
    """FFmpeg's reader keeps half a kilobyte for each point that it could seek to."""
    muxer = NutMuxer((16, 16), Fraction(30))
    jpeg = encode_jpeg(np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8))
    stream = b"".join(muxer.add(jpeg) for _ in range(50))
    muxer.close()
    assert len(stream) > 20 * 65536  # at which a stream gets the next such point at the latest
    assert stream.count(b"NK\xe4\xad\xee\xca\x45\x69") <= 1  # its begin
    with av.open(io.BytesIO(stream), format="nut") as container:
        assert len([packet for packet in container.demux() if packet.pts is not None]) == 50


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("live --stream", "live --stream auto"),
        ("live --stream --json", "live --stream auto --json"),
        ("live --stream 9000 --virtual-camera", "live --stream 9000 --virtual-camera auto"),
        ("live --virtual-camera OBS", "live --virtual-camera OBS"),
    ],
)
def test_flags_that_may_stand_alone(words: str, meant: str) -> None:
    assert list(_fill_bare_flags(words.split())) == meant.split()
