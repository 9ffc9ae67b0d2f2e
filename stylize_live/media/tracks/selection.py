"""How each stream beside the video gets into a new file, by what its format and players accept."""

from __future__ import annotations

from stylize_live.config import AudioChoice
from stylize_live.media.decode.container import Disposition
from stylize_live.media.formats.limits import FILE_OPTIONS
from stylize_live.media.formats.tags import TAG_ERRORS
from stylize_live.media.libraries import av
from stylize_live.media.tracks.adts import AdtsTrack, is_adts
from stylize_live.media.tracks.channel_layout import source_layout
from stylize_live.media.tracks.muxer_trial import MuxerTrial
from stylize_live.media.tracks.subtitles import SubtitleTrack, is_text_subtitle
from stylize_live.media.tracks.track import CopiedTrack, RecodedTrack, Track, describe_stream

# Sound that players take in a format; FFmpeg would also write other kinds that most stay silent on
# (Vorbis and DTS in MP4, Opus in MOV). Matroska's players take what FFmpeg writes. AC-3 and ALAC are
# silent in browsers, and still copied: television sets and Apple's players want just these.
_PLAYED = {
    "mp4": {"aac", "mp3", "opus", "flac", "alac", "ac3", "eac3"},
    "mov": {"aac", "mp3", "alac", "ac3", "eac3", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be"}
    | {"pcm_s32le", "pcm_s32be", "pcm_f32le", "pcm_f32be", "pcm_f64le", "pcm_f64be", "pcm_u8", "pcm_s8"}
    | {"pcm_mulaw", "pcm_alaw"},
    "webm": {"opus", "vorbis"},
}
# Dispositions that come back when read; measured.
_DEFAULT_AND = "dub comment forced hearing_impaired visual_impaired"
_MARKS = {
    "mp4": f"{_DEFAULT_AND} captions descriptions",
    "mov": "",
    "matroska": f"{_DEFAULT_AND} original captions descriptions",
    "webm": "forced captions descriptions metadata",
}
_SOUND_ENCODERS = {"webm": "libopus"}
_NAMES = {"aac": "AAC", "libopus": "Opus"}
_TEXT_CODECS = {"mp4": "mov_text", "mov": "mov_text", "matroska": "subrip", "webm": "webvtt"}
_KEEPERS = (("mov", ".mov"), ("matroska", ".mkv"))  # formats that a note may point to
_COVER_KINDS = {"mjpeg": "image/jpeg", "png": "image/png"}
_ENDINGS = {"image/jpeg": "jpg", "image/png": "png"}


def make_track(
    output: av.container.OutputContainer, stream: av.stream.Stream, suffix: str, sound: AudioChoice
) -> tuple[Track | None, list[str]]:
    """Give an output the stream that continues one of the source.

    Args:
        output: file whose header is not written yet.
        stream: stream beside the video.
        suffix: the target's, for words.
        sound: what to do with sound.

    Returns:
        The track that carries its packets, or None where it is left out or already in the header; and
        what the user should know about it, a line each.
    """
    if stream.type == "audio":
        track, note = _sound(output, stream, suffix, sound)
    elif stream.type == "subtitle":
        track, note = _subtitles(output, stream, suffix)
    else:
        track, note = _other(output, stream, suffix)
    notes = [note] if note else []
    if track is not None and (marks := _name_lost_marks(stream, output.format.name)):
        notes.append(f"{suffix} cannot mark {describe_stream(stream)} as: {', '.join(marks)}")
    return track, notes


def _other(
    output: av.container.OutputContainer, stream: av.stream.Stream, suffix: str
) -> tuple[Track | None, str | None]:
    is_cover = bool(stream.disposition & Disposition.attached_pic)
    if stream.type == "video" and not is_cover:
        return None, f"left out: {describe_stream(stream)}, which would show the unpainted video"
    if is_cover and output.format.name == "matroska" and _attach_cover(output, stream):
        return None, None
    if accepts(output.format.name, stream):
        return CopiedTrack(output, stream), None
    kept = _cover_kind(stream) is not None if is_cover else accepts("matroska", stream)
    hint = "; .mkv would keep it" if kept else ""
    return None, f"left out: {describe_stream(stream)}, which {suffix} cannot hold{hint}"


def _sound(
    output: av.container.OutputContainer, stream: av.stream.Stream, suffix: str, sound: AudioChoice
) -> tuple[Track | None, str | None]:
    if sound == "none":
        return None, None
    name, format_name = describe_stream(stream), output.format.name
    context = getattr(stream, "codec_context", None)
    if context is None:
        return None, f"left out: {name}, which cannot be decoded here"
    codec = context.codec.canonical_name
    encoder = _SOUND_ENCODERS.get(format_name, "aac")
    is_asked_for = sound == "copy" or codec == "aac"
    if is_asked_for and codec in _PLAYED.get(format_name, {codec}) and accepts(format_name, stream):
        return (AdtsTrack if is_adts(stream) else CopiedTrack)(output, stream), None
    why = _why_not_copied(stream, codec, suffix, format_name) if sound == "copy" else ""
    speakers = source_layout(context)
    if not speakers.can_be_mixed:
        return None, f"left out: {name}{why}; it has more channels than can be mixed"
    track = RecodedTrack(output, stream, speakers, encoder)
    mixed = f"; {lost} of its channels were mixed into the others" if (lost := track.lost_channels) else ""
    return track, f"encoded again as {_NAMES[encoder]}: {name}{why}{mixed}"


def _why_not_copied(stream: av.stream.Stream, codec: str, suffix: str, format_name: str) -> str:
    if format_name == "matroska":
        return f", which cannot be put into {suffix} here"
    keepers = [
        ending for name, ending in _KEEPERS if codec in _PLAYED.get(name, {codec}) and accepts(name, stream)
    ]
    hint = f"; {' or '.join(keepers)} would keep it" if keepers else ""
    return f", which players of {suffix} files do not take{hint}"


def _name_lost_marks(stream: av.stream.Stream, format_name: str) -> list[str]:
    held = {"default", "attached_pic", *_MARKS.get(format_name, "").split()}
    return [str(mark.name) for mark in Disposition if mark in stream.disposition and mark.name not in held]


def _subtitles(
    output: av.container.OutputContainer, stream: av.stream.Stream, suffix: str
) -> tuple[Track | None, str | None]:
    format_name = output.format.name
    if accepts(format_name, stream):
        return CopiedTrack(output, stream), None
    name, codec = describe_stream(stream), _TEXT_CODECS.get(format_name)
    if codec is not None and is_text_subtitle(stream):
        return SubtitleTrack(
            output, stream, codec
        ), f"rewritten as {codec}: {name}, which {suffix} cannot hold"
    hint = "; .mkv would keep them" if format_name != "matroska" and accepts("matroska", stream) else ""
    return None, f"left out: {name}, which {suffix} cannot hold{hint}"


def _attach_cover(output: av.container.OutputContainer, stream: av.stream.Stream) -> bool:
    """Put a cover into a Matroska file, which keeps it as an attachment, not as a stream."""
    kind = _cover_kind(stream)
    image = cover_image(stream)
    if kind is None or image is None:
        return False
    name = stream.metadata.get("filename", f"cover.{_ENDINGS[kind]}")
    output.add_attachment(name, kind, image)
    return True


def _cover_kind(stream: av.stream.Stream) -> str | None:
    """The media type of a cover that Matroska takes; None for others."""
    context = getattr(stream, "codec_context", None)
    return _COVER_KINDS.get(context.codec.canonical_name) if context is not None else None


def cover_image(stream: av.stream.Stream) -> bytes | None:
    """The bytes of an attached cover, read from the file anew; None where there are none."""
    name = stream.container.name
    with av.open(name, "r", metadata_errors=TAG_ERRORS, container_options=FILE_OPTIONS) as container:
        for count, packet in enumerate(container.demux()):
            if packet.stream_index == stream.index and packet.size:
                return bytes(packet)
            if count > len(container.streams) + 8:  # FFmpeg gives covers before all else
                break
    return None


def accepts(format_name: str, stream: av.stream.Stream) -> bool:
    """Try a stream in a file that goes nowhere: some formats refuse only when their header is written."""
    if stream.type == "video" and format_name != "mp4":  # others make a second video of a cover
        return False
    try:
        MuxerTrial(format_name, stream).close()
    except (av.FFmpegError, ValueError):
        return False
    return True
