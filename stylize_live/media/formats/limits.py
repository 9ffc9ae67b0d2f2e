"""What is opened of videos and streams: which formats, through which protocols, how large.

FFmpeg opens far more than videos: playlists and scripts that name other files and addresses, images of a
hundred kinds, devices. What is not in these lists is refused before anything of it is read.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from stylize_live.errors import SourceError
from stylize_live.media.libraries import av

# FFmpeg's names of formats that hold all they need themselves. Of those that give no videos ("only sound",
# "an image") the message says so.
_CONTAINERS = "3g2,3gp,asf,avi,flv,gxf,m4v,matroska,mov,mp4,mpeg,mpegts,mpegvideo,mxf,nut,ogg,rm,swf,webm,wtv"
_BARE = "apng,av1,cavsvideo,dirac,dnxhd,dv,gif,h261,h263,h264,hevc,ivf,mjpeg,obu,vc1,vvc,yuv4mpegpipe"
_SOUND = "aac,ac3,aiff,amr,caf,dts,eac3,flac,mp3,wav"
_IMAGES = "bmp_pipe,gif_pipe,jpeg_pipe,jpegls_pipe,png_pipe,tiff_pipe,webp_pipe"
_FORMATS = ",".join((_CONTAINERS, _BARE, _SOUND, _IMAGES))
# Streams may also be playlists, of addresses.
_STREAMED = "dash,hls,live_flv,mpjpeg,rtp,rtsp,sdp,webvtt"
_PROTOCOLS = (
    "crypto,http,httpproxy,https,rtmp,rtmpe,rtmps,rtmpt,rtmpte,rtmpts,rtp,rtsp,rtsps,srt,srtp,tcp,tls,udp"
)

MOST_VIDEO_PIXELS = 1 << 26  # 8192x8192: twice 8K, and a room around the viewer for each eye
_MANY_PIXELS = 1 << 24
_TOGETHER = 1 << 28  # pixels that a decoder's threads work on at the same time

# Options of FFmpeg: of decoders, which look at a few frames before anybody asks them to, and of files.
DECODER_OPTIONS = {"max_pixels": str(MOST_VIDEO_PIXELS)}
FILE_OPTIONS = {"format_whitelist": _FORMATS, "protocol_whitelist": "file"}
SEQUENCE_OPTIONS = {"protocol_whitelist": "file"}
STREAM_OPTIONS = {"format_whitelist": f"{_FORMATS},{_STREAMED}", "protocol_whitelist": _PROTOCOLS}


_IMAGE_HEADS = (b"\xff\xd8\xff", b"\x89PNG", b"BM", b"II*\0", b"MM\0*")
_HEAD = 2048  # bytes
# How playlists and scripts begin, in small letters.
_PLAYLISTS = (
    *(b"#extm3u", b"#ext-x", b"ffconcat", b"[playlist]", b"[reference]", b"v=0", b"rtsptext", b"<asx"),
    *(b"<?xml", b"<mpd", b"<smil", b"<playlist"),
)


def stream_options(url: str) -> dict[str, str]:
    """FFmpeg's options for a URL: one of a file is a file, all others reach no file of this machine."""
    return FILE_OPTIONS if url.lower().startswith("file:") else STREAM_OPTIONS


def is_playlist(path: Path) -> bool:
    """Whether a file begins as playlists do, which name other files instead of holding frames."""
    return _head(path).removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(_PLAYLISTS)


def is_image(path: Path) -> bool:
    """Whether a file begins as images do."""
    head = _head(path)
    return head.startswith(_IMAGE_HEADS) or (head[:4] == b"RIFF" and head[8:12] == b"WEBP")


def is_text(path: Path) -> bool:
    """Whether a file begins with text and nothing else."""
    head = _head(path)
    return bool(head) and all(byte >= 32 or byte in b"\t\n\r\x1b" for byte in head)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(_HEAD)
    except OSError:
        return b""


def check_video_size(video: av.VideoStream, who: object) -> None:
    """Refuse a video of frames that are too large, before any is decoded.

    Raises:
        SourceError: they have more than `MOST_VIDEO_PIXELS`.
    """
    width, height = video.codec_context.width, video.codec_context.height
    if width * height > MOST_VIDEO_PIXELS:
        raise SourceError(
            f"{who}: its frames are too large, {width}x{height}; {_format_size(MOST_VIDEO_PIXELS)} at most"
        )


def _format_size(pixels: int) -> str:
    return f"{pixels / 1e6:.0f} megapixels"


def limit_decoder(decoder: av.VideoCodecContext, **options: str) -> None:
    """Have a decoder refuse frames that are too large, also where a video grows in its middle.

    Args:
        decoder: not open yet.
        options: others of FFmpeg.
    """
    decoder.options = {**DECODER_OPTIONS, **options}


def threads_for(video: av.VideoStream) -> int:
    """How many threads may decode a video: each holds a frame. 0 lets FFmpeg decide."""
    pixels: Any = video.codec_context.width * video.codec_context.height
    return max(1, _TOGETHER // pixels) if pixels > _MANY_PIXELS else 0
