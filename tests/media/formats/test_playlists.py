"""Videos are what they hold: nothing that is opened reads another file or calls anybody unasked."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from clips import CFR, Video

from stylize_live.cli.app import main
from stylize_live.config import SourceSettings
from stylize_live.errors import SourceError
from stylize_live.media.decode.reader import VideoReader
from stylize_live.media.formats import limits
from stylize_live.media.libraries import av
from stylize_live.media.sources.network import StreamSource

PLAYLISTS = {
    "hls": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{video}\n#EXT-X-ENDLIST\n",
    "hls of a network": "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nhttp://127.0.0.1:9/a.ts\n#EXT-X-ENDLIST\n",
    "ffconcat": "ffconcat version 1.0\nfile {name}\n",
    "ffconcat behind a mark": "\ufeffffconcat version 1.0\nfile {name}\n",
    "m3u": "#EXTM3U\n{video}\n",
    "pls": "[playlist]\nFile1={video}\n",
    "sdp": "v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nc=IN IP4 127.0.0.1\nt=0 0\nm=video 9 RTP/AVP 96\n"
    "a=rtpmap:96 H264/90000\n",
    "dash": '<?xml version="1.0"?>'
    '<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><BaseURL>{video}</BaseURL></MPD>',
    "imf": '<?xml version="1.0"?><CompositionPlaylist xmlns="http://www.smpte-ra.org/schemas/2067-3/2016"/>',
}


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path) -> Iterator[str]:
    """The address of a server of the temporary folder."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path))) as served:
        thread = threading.Thread(target=served.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{served.server_port}"
        finally:
            served.shutdown()
            thread.join()


@pytest.mark.parametrize("suffix", [".mp4", ".m3u8", ".ts", ".ffconcat", ".txt", ""])
@pytest.mark.parametrize("kind", PLAYLISTS)
def test_playlists_are_refused_by_content(kind: str, suffix: str, tmp_path: Path) -> None:
    video = Video(CFR).write(tmp_path / "video.ts")
    path = tmp_path / f"list{suffix}"
    path.write_text(PLAYLISTS[kind].format(video=video, name=video.name), encoding="utf-8")
    with pytest.raises(SourceError, match="a playlist, which names other files; name the video itself"):
        VideoReader(path)


def test_a_command_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "holiday.mp4"
    path.write_text(PLAYLISTS["hls"].format(video=Video(CFR).write(tmp_path / "video.ts")))
    assert main(["convert", str(path), str(tmp_path / "out.mp4")]) == SourceError.exit_code
    assert capsys.readouterr().err.splitlines() == [
        f"error: {path}: a playlist, which names other files; name the video itself"
    ]


@pytest.mark.parametrize("name", ["a.mp4", "a.srt", "a.ffmeta"])
def test_text_is_no_video(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text(";FFMETADATA1\ntitle=x\n" * 50)
    with pytest.raises(SourceError, match="text"):
        VideoReader(tmp_path / name)


@pytest.mark.parametrize("name", ["concat:video.ts|video.ts", "subfile,,start,0,end,0,,:video.ts", "data:,x"])
def test_names_of_files_are_no_protocols(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Video(CFR).write(tmp_path / "video.ts")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SourceError):
        VideoReader(Path(name))


def test_images_of_a_sequence_are_of_known_kinds(tmp_path: Path) -> None:
    for number in (1, 2):
        (tmp_path / f"{number}.eps").write_text("%!PS\n")
    with pytest.raises(SourceError, match=r"images of this kind are not read; use one of \.bmp"):
        VideoReader(tmp_path / "%d.eps", SourceSettings(fps="25"))


@pytest.mark.parametrize("scheme", ["concat", "subfile", "data", "pipe", "fd", "unix", "gopher"])
def test_streams_do_not_reach_into_this_machine(scheme: str, tmp_path: Path) -> None:
    video = Video(CFR).write(tmp_path / "video.ts")
    with pytest.raises(SourceError):
        StreamSource(f"{scheme}://{video}")


def test_urls_of_files_are_files(tmp_path: Path) -> None:
    video = Video(tuple(1001 * i for i in range(60))).write(tmp_path / "video.ts")
    with StreamSource(f"file://{video}") as stream:
        assert stream.size == (64, 48)
    (tmp_path / "list.m3u8").write_text(PLAYLISTS["hls"].format(video=video))
    with pytest.raises(SourceError):
        StreamSource(f"file://{tmp_path}/list.m3u8")


def test_playlists_from_a_network_name_no_local_files(tmp_path: Path, server: str) -> None:
    """As `live --source http://.../list.m3u8` meets it; its own parts are played."""
    Video(tuple(1001 * i for i in range(60))).write(tmp_path / "video.ts")
    for name, part in (
        ("good", "video.ts"),
        ("bad", f"file://{tmp_path}/video.ts"),
        ("bare", str(tmp_path / "video.ts")),
    ):
        (tmp_path / f"{name}.m3u8").write_text(PLAYLISTS["hls"].format(video=part))
    with StreamSource(f"{server}/good.m3u8") as stream:
        assert stream.size == (64, 48)
    for name in ("bad", "bare"):
        with pytest.raises(SourceError):
            StreamSource(f"{server}/{name}.m3u8")


def test_formats_are_ffmpegs() -> None:
    """A slip in the list would close a format without a word."""
    known = {part for name in av.formats_available for part in name.split(",")}
    listed = limits.STREAM_OPTIONS["format_whitelist"].split(",")
    assert set(listed) - known <= {"dash"}  # not in every build
    closed = {
        "concat",
        "hls",
        "dash",
        "sdp",
        "rtsp",
        "imf",
        "image2",
        "lavfi",
        "tty",
        "ffmetadata",
        "webm_dash_manifest",
    }
    assert closed.isdisjoint(limits.FILE_OPTIONS["format_whitelist"].split(","))
