"""The one table of the fault matrix: every stage, and what becomes of every fault there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import fault_shows as shows
from faults import ERRORS, FAULTS, BoomError, Kind, Seam

from stylize_live.errors import MachineError, SinkError, SourceError, StylizeError

# Whose stages are spoilt; whatever hands something on in them stands in the tables below.
ROOMS = ("media", "live", "conversion", "concurrency")


@dataclass(frozen=True)
class Fails:
    """All ends within two seconds, with this error; what it says must hold these words."""

    error: type[BaseException]
    words: str = ""


@dataclass(frozen=True)
class GoesOn:
    """It works on, to its usual end; a show says these words, and a sink's report has them."""

    words: str = ""


@dataclass(frozen=True)
class NoSense:
    """Cannot happen there, and why."""

    reason: str


Answer = Fails | GoesOn | NoSense
Answers = Mapping[str, Answer]
NO_IMAGES: Answers = {
    fault: NoSense("no frames pass there") for fault in ("wrong size", "wrong type", "clock jump")
}
CHECKED: Answers = {
    "wrong type": NoSense("frames are checked where they come from"),
    "clock jump": NoSense("looks at no times"),
}
_SPOILT_PIXELS: Answers = {"clock jump": NoSense("its times are made behind this place")}
_COMPUTED: Answers = {"hangs": NoSense("computes its frames, there is no driver")}


def _all(*names: str, answer: Answer) -> Answers:
    return dict.fromkeys(names, answer)


_MACHINE: Answers = {
    "raises": Fails(BoomError),
    "out of memory": Fails(MachineError, "out of memory"),
    "device gone": Fails(StylizeError, "No such device"),
    "disk full": Fails(StylizeError, "free some space"),
    "permission lost": Fails(StylizeError, "Permission denied"),
}
_CONVERT: Answers = {
    **_MACHINE,
    "hangs": Fails(MachineError, "has not answered"),
    "slow": GoesOn(),
    "signal": Fails(KeyboardInterrupt),
}
_SOURCE: Answers = {
    **_MACHINE,
    "hangs": Fails(MachineError, "the source has not answered"),
    "slow": GoesOn(),
    "wrong size": GoesOn(),
    "wrong type": Fails(TypeError, "the source"),
    "clock jump": GoesOn(),
    "signal": GoesOn(),
}
_SINK: Answers = {
    "raises": Fails(BoomError),
    "hangs": GoesOn("has not answered"),
    "slow": GoesOn(),
    "wrong size": GoesOn(),
    **CHECKED,
    "out of memory": GoesOn("out of memory"),
    "device gone": GoesOn("No such device"),
    "disk full": GoesOn("No space left"),
    "permission lost": GoesOn("Permission denied"),
    "signal": GoesOn(),
}


@dataclass(frozen=True)
class Stage:
    """A place where work is done.

    Attributes:
        seam: see `Seam`.
        run: the show or conversion that is spoilt there.
        answers: what becomes of each fault.
        keeps: whether finished segments wait for the next run when a conversion fails there.
    """

    seam: Seam
    run: Callable[..., object]
    answers: Answers
    keeps: bool = False


def _stage(
    where: str,
    kind: Kind,
    run: Callable[..., object],
    *answers: Answers,
    call: int = 3,
    keeps: bool = False,
) -> Stage:
    merged: dict[str, Answer] = {}
    for some in answers:
        merged.update(some)
    prefix = "stylize_live." if where.partition(".")[0] in ROOMS else ""
    return Stage(Seam(prefix + where, kind, call), run, merged, keeps)


_UNLIMITED: Answers = {
    "hangs": NoSense("a video's end may take minutes, and is not limited: see security.md")
}

CONVERT: dict[str, Stage] = {
    "reader": _stage(
        "media.decode.reader:VideoReader._next_frame",
        "gives a frame",
        shows.to_mp4,
        _CONVERT,
        {"wrong size": Fails(ValueError, "the source gave"), "wrong type": Fails(TypeError, "the source")},
        {"clock jump": GoesOn()},
    ),
    "stylizer": _stage(
        "fault_shows:Inverter.stream",
        "yields frames",
        shows.to_mp4,
        _CONVERT,
        {
            "wrong size": Fails(ValueError),
            "wrong type": Fails(TypeError, "the stylizer"),
            "clock jump": GoesOn(),
        },
    ),
    "encoder": _stage(
        "media.encode.encoder:VideoEncoder.encode",
        "takes a frame",
        shows.to_mp4,
        _CONVERT,
        CHECKED,
        {"wrong size": Fails(ValueError, "came for a video"), "clock jump": GoesOn()},
    ),
    "segment": _stage(
        "media.encode.packet_files:PacketFile.write", "works", shows.to_mp4, _CONVERT, NO_IMAGES
    ),
    "journal": _stage(
        "conversion.segment_store:SegmentStore.commit", "works", shows.to_mp4, _CONVERT, NO_IMAGES, call=1
    ),
    "joining": _stage(
        "conversion.segment_store:read_packets", "yields", shows.to_mp4, _CONVERT, NO_IMAGES, keeps=True
    ),
    "muxer": _stage("media.encode.muxer:Muxer.write", "works", shows.to_mp4, _CONVERT, NO_IMAGES, keeps=True),
    "sound": _stage(
        "media.tracks.passthrough:PassthroughStreams.packets",
        "yields",
        shows.to_mp4,
        _CONVERT,
        NO_IMAGES,
        call=2,
        keeps=True,
    ),
    "index": _stage(
        "media.encode.muxer:Muxer.finish",
        "works",
        shows.to_mp4,
        _CONVERT,
        NO_IMAGES,
        _UNLIMITED,
        call=1,
        keeps=True,
    ),
    "target": _stage(
        "conversion.segment_store:SegmentStore.publish",
        "works",
        shows.to_mp4,
        _CONVERT,
        NO_IMAGES,
        _UNLIMITED,
        call=1,
        keeps=True,
    ),
    "background image": _stage(
        "media.decode.backgrounds:on_paper",
        "gives pixels",
        shows.before_an_image,
        _CONVERT,
        {"wrong size": GoesOn(), **CHECKED},
        call=1,
    ),
    "background video": _stage(
        "media.decode.backgrounds:BackgroundVideo._find",
        "gives a frame",
        shows.before_a_video,
        _CONVERT,
        {"wrong size": GoesOn(), **CHECKED},
    ),
    "progress": _stage(
        "fault_shows:tell_nobody",
        "works",
        shows.to_mp4,
        _CONVERT,
        NO_IMAGES,
        dict.fromkeys(list(ERRORS)[2:], Fails(OSError)),
        {"hangs": NoSense("the caller's own, in the caller's thread"), "out of memory": Fails(MemoryError)},
        call=1,
    ),
    "writer": _stage(
        "media.encode.writer:VideoWriter.write",
        "takes a frame",
        shows.to_gif,
        _CONVERT,
        CHECKED,
        {"wrong size": Fails(ValueError, "came for a video"), "clock jump": GoesOn()},
    ),
    "numbered images": _stage(
        "media.formats.image_sequence:SequenceWriter.write",
        "takes a frame",
        shows.to_images,
        _CONVERT,
        CHECKED,
        {"wrong size": GoesOn()},
    ),
}
_MAIN_THREAD: Answers = {
    "hangs": NoSense("is the main thread itself; sinks go on, see live/test_sink_group.py")
}
_ALONE: Answers = {
    fault: Fails(SinkError, answer.words)
    for fault, answer in _SINK.items()
    if isinstance(answer, GoesOn) and answer.words
}
_BACKGROUND: Answers = {
    "hangs": Fails(MachineError, "painting has not answered"),
    "slow": GoesOn(),
    "wrong size": GoesOn(),
    **CHECKED,
    "signal": GoesOn(),
}
LIVE: dict[str, Stage] = {
    "any source": _stage("live_fakes:FakeSource.__iter__", "yields frames", shows.plain, _SOURCE),
    "pattern": _stage(
        "media.sources.test_pattern:PatternSource.image",
        "gives pixels",
        shows.pattern,
        _SOURCE,
        _SPOILT_PIXELS,
        _COMPUTED,
    ),
    "switching": _stage(
        "media.sources.test_pattern:PatternSource.image",
        "gives pixels",
        shows.switching,
        _SOURCE,
        _SPOILT_PIXELS,
        _COMPUTED,
    ),
    "screen": _stage(
        "fault_shows:Capturer.grab",
        "works",
        shows.of_screen,
        _SOURCE,
        NO_IMAGES,
        dict.fromkeys(set(ERRORS) - {"out of memory"}, Fails(SourceError, "the screen cannot be captured: ")),
    ),
    "camera": _stage(
        "fault_shows:Capture.image",
        "gives pixels",
        shows.of_camera,
        _SOURCE,
        _SPOILT_PIXELS,
        {"wrong type": NoSense("OpenCV gives eight bits")},
    ),
    "file": _stage("media.decode.reader:VideoReader._next_frame", "gives a frame", shows.of_file, _SOURCE),
    "stream": _stage(
        "media.sources.network:_Connection._packets",
        "yields",
        shows.of_stream,
        _SOURCE,
        NO_IMAGES,
        dict.fromkeys(("device gone", "disk full", "permission lost"), GoesOn("is gone, waiting for it")),
    ),
    "browser": _stage(
        "media.sources.webrtc:_convert",
        "gives pixels",
        shows.of_browser,
        _SOURCE,
        _SPOILT_PIXELS,
        {"hangs": NoSense("there is no driver; browsers are waited for as long as it takes")},
    ),
    "NDI source": _stage(
        "fault_shows:NdiNetwork.image",
        "gives pixels",
        shows.of_ndi,
        _SOURCE,
        _SPOILT_PIXELS,
        {"wrong type": NoSense("NDI's pixels have eight bits")},
    ),
    "stylizer": _stage(
        "live_fakes:FakeStylizer.__call__",
        "gives a frame",
        shows.plain,
        _SOURCE,
        {"hangs": Fails(MachineError, "painting has not answered")},
        {"wrong size": Fails(ValueError, "the stylizer"), "wrong type": Fails(TypeError, "the stylizer")},
    ),
    "background image": _stage(
        "media.decode.backgrounds:on_paper",
        "gives pixels",
        shows.in_front_of_an_image,
        _BACKGROUND,
        dict.fromkeys(ERRORS, GoesOn("a.png broke: a dark colour stands there")),
        call=1,
    ),
    "background video": _stage(
        "media.decode.backgrounds:BackgroundVideo._find",
        "gives a frame",
        shows.in_front_of_a_video,
        _BACKGROUND,
        dict.fromkeys(ERRORS, GoesOn("video.mp4 broke: what was seen of it last stays")),
    ),
    "loading": _stage(
        "live_fakes:FakeStylizer.warm_up",
        "works",
        shows.plain,
        _SOURCE,
        NO_IMAGES,
        {"hangs": Fails(MachineError, "loading the style has not answered")},
        call=1,
    ),
    "boldness": _stage(
        "fault_shows:Stylizer.embolden",
        "works",
        shows.bolder,
        _SOURCE,
        NO_IMAGES,
        {"hangs": Fails(MachineError, "a change of boldness has not answered")},
        call=1,
    ),
    "window": _stage("fault_shows:Toolkit.imshow", "works", shows.plain, _SOURCE, NO_IMAGES, _MAIN_THREAD),
    "remote": _stage("fault_shows:Audience.attend", "works", shows.plain, _SOURCE, NO_IMAGES, _MAIN_THREAD),
    "recorder": _stage("media.sinks.recorder:Recorder.write", "takes a frame", shows.recording, _SINK),
    "recording's encoder": _stage(
        "media.encode.encoder:VideoEncoder.encode",
        "takes a frame",
        shows.recording,
        _SINK,
        {"wrong size": NoSense("the recorder scales all into one size")},
    ),
    "recording's file": _stage("media.encode.muxer:Muxer.write", "works", shows.recording, _SINK, NO_IMAGES),
    "recording alone": _stage(
        "media.encode.muxer:Muxer.write", "works", shows.alone, _SINK, NO_IMAGES, _ALONE
    ),
    "recording by key": _stage("media.encode.muxer:Muxer.write", "works", shows.record_key, _SINK, NO_IMAGES),
    "microphone": _stage(
        "media.sources.microphone:Microphone.take", "works", shows.recording_sound, _SINK, NO_IMAGES
    ),
    "following the sound": _stage(
        "live.sound:_MicrophoneEar.take",
        "works",
        shows.following_sound,
        _SINK,
        NO_IMAGES,
        {"raises": GoesOn("BoomError: boom"), "hangs": GoesOn()},  # nobody waits for its thread
    ),
    "stream server": _stage(
        "media.sinks.stream_server:StreamServer.write", "takes a frame", shows.streaming, _SINK
    ),
    "stream's readers": _stage(
        "media.sinks.nut_muxer:NutMuxer.add",
        "works",
        shows.streaming,
        dict.fromkeys(FAULTS, GoesOn()),  # that reader is left alone
        NO_IMAGES,
    ),
    "virtual camera": _stage(
        "fault_shows:Loopback.send",
        "works",
        shows.to_virtual_camera,
        _SINK,
        NO_IMAGES,
        dict.fromkeys(ERRORS, GoesOn("takes no more frames")),
    ),
    "NDI": _stage(
        "fault_shows:NdiNetwork.send",
        "works",
        shows.to_ndi,
        _SINK,
        NO_IMAGES,
        {"raises": GoesOn("NDI takes no more frames: BoomError: boom")},
    ),
    "switching on": _stage(
        "fault_shows:opened",
        "works",
        shows.switched_on,
        _SINK,
        NO_IMAGES,
        {"raises": GoesOn("BoomError: boom")},  # the library's own, of a sink that nobody needs yet
        {"hangs": GoesOn("opening the stream has not answered")},
        call=1,
    ),
    "snapshot": _stage(
        "live.snapshots:write_image",
        "works",
        shows.snapshot,
        _SINK,
        NO_IMAGES,
        {"raises": GoesOn("no snapshot: BoomError"), "hangs": GoesOn()},  # nobody waits for its thread
        call=1,
    ),
}

# What hands frames, packets or files on, by module and class: the stages in which it is spoilt, or why not.
WORKERS: dict[str, tuple[str, ...] | NoSense] = {
    "media.tracks.adts:AdtsTrack": ("sound",),
    "media.sources.webrtc:BrowserSource": ("browser",),
    "media.sources.webrtc:CameraPeer": NoSense(
        "in the studio's own process of events, see media/sources/test_webrtc.py"
    ),
    "media.sources.camera:CameraSource": ("camera",),
    "media.image.strip_image:StripImage": NoSense("stills only, see media/image/test_strip_image.py"),
    "media.tracks.passthrough:PassthroughStreams": ("sound",),
    "media.decode.demux:Demuxer": ("reader", "sound"),
    "media.encode.encoder:VideoEncoder": ("encoder", "recording's encoder"),
    "media.decode.video_decoder:_VideoDecoder": ("reader", "stream"),
    "media.encode.growing_file:GrowingFile": ("recording's file", "recording by key", "recording alone"),
    "media.sources.live_source:LiveSource": ("pattern", "camera", "screen", "stream", "file", "browser"),
    "media.sources.live_source:Metronome": NoSense("a clock"),
    "media.sources.looped_file:LoopedFile": NoSense(
        "a reader, opened again and again, which is spoilt as such"
    ),
    "media.sources.microphone:Microphone": ("microphone",),
    "media.sinks.nut_muxer:NutMuxer": ("stream's readers",),
    "media.encode.muxer:Muxer": ("muxer", "index", "recording's file"),
    "media.sources.no_source:NoSource": NoSense("gives nothing, and waits"),
    "media.sinks.null_display:NullDisplay": NoSense("does nothing"),
    "media.sources.realtime_file:RealtimeFileSource": ("file",),
    "media.encode.packet_files:PacketFile": ("segment",),
    "media.sources.test_pattern:PatternSource": ("pattern",),
    "media.decode.photo_decoder:PhotoDecoder": ("reader",),
    "media.decode.backgrounds:BackgroundImage": ("background image",),
    "media.decode.backgrounds:BackgroundVideo": ("background video",),
    "media.decode.reader:VideoReader": ("reader", "file"),
    "media.sinks.recorder:Recorder": ("recorder",),
    "media.sources.screen:ScreenSource": ("screen",),
    "media.formats.image_sequence:SequenceWriter": ("numbered images",),
    "media.encode.audio_encoder:SoundEncoder": ("microphone",),
    "media.sources.network:StreamSource": ("stream",),
    "media.sources.network:_Connection": ("stream",),
    "media.sinks.stream_server:StreamServer": ("stream server", "stream's readers"),
    "media.sinks.stream_server:_Newest": ("stream server",),
    "media.tracks.subtitles:SubtitleTrack": ("sound",),
    "media.sources.switching:SwitchingSource": ("switching",),
    "media.tracks.track:CopiedTrack": ("sound",),
    "media.tracks.track:RecodedTrack": ("sound",),
    "media.tracks.muxer_trial:MuxerTrial": NoSense("tries a track in memory before anything begins"),
    "media.tracks.muxer_trial:_Nowhere": NoSense("takes everything and does nothing"),
    "media.sinks.virtual_camera:VirtualCamera": ("virtual camera",),
    "media.sinks.ndi_sink:NdiSink": ("NDI",),
    "media.sources.ndi_source:NdiSource": ("NDI source",),
    "media.ndi.sender:NdiSender": ("NDI",),
    "media.ndi.receiver:NdiReceiver": ("NDI source",),
    "media.sinks.window:Window": ("window",),
    "media.encode.writer:VideoWriter": ("writer",),
    "conversion.worker_process:_Outbox": NoSense(
        "hands words to another process, see conversion/test_worker_process.py"
    ),
    "conversion.worker_process:_Process": NoSense(
        "a process of its own, killed in conversion/test_worker_process.py and conversion/test_kill.py"
    ),
    "concurrency.channel:Bounded": NoSense("waits in memory only, see concurrency/test_channel.py"),
    "concurrency.channel:Latest": NoSense("waits in memory only, see concurrency/test_channel.py"),
    "concurrency.channel:_Queue": NoSense("waits in memory only, see concurrency/test_channel.py"),
    "live.latency:Durations": NoSense("counts"),
    "live.learning:LiveLearning": NoSense("the show goes on without it, see live/test_learning.py"),
    "live.sound:LiveSound": ("following the sound",),
    "live.sound:_MicrophoneEar": ("following the sound",),
    "live.sound:_FileEar": NoSense("a reader of sound beside the show's own, see live/test_sound.py"),
    "live.sound:_Counts": NoSense("counts"),
    "live.pipeline:_Waker": NoSense("wakes a source"),
    "live.screen:Screen": ("window",),
    "live.slow_changes:SlowChanges": ("boldness",),
    "live.snapshots:Snapshots": ("snapshot",),
    "live.sink_switches:SinkSwitches": ("switching on",),
    "live.sink_switches:_Attempt": ("switching on",),
    "live.sink_group:SinkGroup": ("recorder", "stream server", "virtual camera"),
    "conversion.journal:Journal": NoSense("is read whole before a run begins; its `frames` is a number"),
    "conversion.output:DirectOutput": ("writer", "numbered images"),
    "conversion.stylizers:TimeShiftedStylizer": ("stylizer",),
    "conversion.stylizers:SideBySideStylizer": ("stylizer",),
    "conversion.segment_store:SegmentStore": ("journal", "target"),
    "live.warm_up:WarmUp": ("loading",),
    "conversion.segmented_output:SegmentedOutput": ("segment", "joining", "index"),
    "conversion.segment_writer:SegmentWriter": ("segment",),
    "conversion.stylizers:AbsentStylizer": NoSense("stands for one of another process, and paints nothing"),
    "conversion.unit:_Keeper": NoSense("a worker's own files, see cluster/test_units.py"),
    "conversion.unit:_UnitOutput": ("segment",),
}
# The same for threads and processes, by the file and the work or name that they are started with.
THREADS: dict[str, tuple[str, ...] | NoSense] = {
    "media.sinks.stream_server:self._accept": NoSense("media/sinks/test_stream_server.py floods it"),
    "media.sinks.stream_server:self._serve": ("stream's readers",),
    "media.sinks.virtual_camera:self._send": ("virtual camera",),
    "media.sinks.ndi_sink:self._repeat": ("NDI",),
    "conversion.worker_process:work": NoSense(
        "a process of its own, killed in conversion/test_worker_process.py and conversion/test_kill.py"
    ),
    "conversion.pipeline:self._decode": ("reader",),
    "conversion.pipeline:self._paint": ("stylizer",),
    "conversion.pipeline:self._encode": ("encoder", "segment", "joining", "target"),
    "live.pipeline:self._capture": ("any source",),
    "live.pipeline:self._paint": ("stylizer", "loading"),
    "live.slow_changes:self._make_lines_ready": NoSense(
        "until it comes back, as many lines are painted as before"
    ),
    "live.slow_changes:lambda: self._look_at_paintings(view)": NoSense(
        "until it comes back, the style stays as it was"
    ),
    "live.slow_changes:lambda: self._set_boldness(view)": ("boldness",),
    "live.snapshots:lambda: self._write(path, still)": ("snapshot",),
    "live.learning:lambda: self._run(workers.stopping, session, stylizer, say)": NoSense(
        "the show goes on without it, see live/test_learning.py"
    ),
    "live.sound:lambda: self._listen(workers.stopping, source, stylizer, say)": ("following the sound",),
    "live.sound:lambda: self._make_ready(workers.stopping, stylizer)": NoSense(
        "until it comes back, all is painted as before"
    ),
    "live.sink_group:worker.run_and_close": (
        *("recorder", "stream server", "virtual camera"),
        *("recording by key", "switching on"),
    ),
    "live.sink_switches:attempt.run": ("switching on",),
    "concurrency.workers:run": NoSense("runs all of these"),
}
