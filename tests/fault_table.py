"""The one table of the fault matrix: every stage, and what becomes of every fault there."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import fault_shows as shows
from faults import ERRORS, FAULTS, BoomError, Kind, Seam

from stylize_live.errors import MachineError, SinkError, SourceError, StylizeError


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
NO_PICTURES: Answers = {
    fault: NoSense("no pictures pass there") for fault in ("wrong size", "wrong type", "clock jump")
}
CHECKED: Answers = {
    "wrong type": NoSense("pictures are checked where they come from"),
    "clock jump": NoSense("looks at no times"),
}
_SPOILT_PIXELS: Answers = {"clock jump": NoSense("its times are made behind this place")}
_COMPUTED: Answers = {"hangs": NoSense("computes its pictures, there is no driver")}


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
        keeps: whether finished pieces wait for the next run when a conversion fails there.
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
    prefix = "stylize_live." if where.startswith(("media", "pipeline")) else ""
    return Stage(Seam(prefix + where, kind, call), run, merged, keeps)


_UNLIMITED: Answers = {"hangs": NoSense("a film's end may take minutes, and is not limited: see security.md")}

CONVERT: dict[str, Stage] = {
    "reader": _stage(
        "media.reader:VideoReader._next_frame",
        "gives a frame",
        shows.to_mp4,
        _CONVERT,
        {"wrong size": Fails(ValueError, "the source gave"), "wrong type": Fails(TypeError, "the source")},
        {"clock jump": GoesOn()},
    ),
    "painter": _stage(
        "fault_shows:Painter.stream",
        "yields frames",
        shows.to_mp4,
        _CONVERT,
        {
            "wrong size": Fails(ValueError),
            "wrong type": Fails(TypeError, "the painter"),
            "clock jump": GoesOn(),
        },
    ),
    "encoder": _stage(
        "media.encoder:FilmEncoder.encode",
        "takes a frame",
        shows.to_mp4,
        _CONVERT,
        CHECKED,
        {"wrong size": Fails(ValueError, "came for a film"), "clock jump": GoesOn()},
    ),
    "piece": _stage("media.packets:PacketFile.write", "works", shows.to_mp4, _CONVERT, NO_PICTURES),
    "journal": _stage("pipeline.parts:Parts.commit", "works", shows.to_mp4, _CONVERT, NO_PICTURES, call=1),
    "joining": _stage(
        "pipeline.parts:read_packets", "yields", shows.to_mp4, _CONVERT, NO_PICTURES, keeps=True
    ),
    "muxer": _stage("media.muxer:Muxer.write", "works", shows.to_mp4, _CONVERT, NO_PICTURES, keeps=True),
    "sound": _stage(
        "media.companions:Companions.packets",
        "yields",
        shows.to_mp4,
        _CONVERT,
        NO_PICTURES,
        call=2,
        keeps=True,
    ),
    "index": _stage(
        "media.muxer:Muxer.finish",
        "works",
        shows.to_mp4,
        _CONVERT,
        NO_PICTURES,
        _UNLIMITED,
        call=1,
        keeps=True,
    ),
    "target": _stage(
        "pipeline.parts:Parts.publish",
        "works",
        shows.to_mp4,
        _CONVERT,
        NO_PICTURES,
        _UNLIMITED,
        call=1,
        keeps=True,
    ),
    "progress": _stage(
        "fault_shows:tell_nobody",
        "works",
        shows.to_mp4,
        _CONVERT,
        NO_PICTURES,
        dict.fromkeys(list(ERRORS)[2:], Fails(OSError)),
        {"hangs": NoSense("the caller's own, in the caller's thread"), "out of memory": Fails(MemoryError)},
        call=1,
    ),
    "writer": _stage(
        "media.writer:VideoWriter.write",
        "takes a frame",
        shows.to_gif,
        _CONVERT,
        CHECKED,
        {"wrong size": Fails(ValueError, "came for a film"), "clock jump": GoesOn()},
    ),
    "numbered pictures": _stage(
        "media.sequence:SequenceWriter.write",
        "takes a frame",
        shows.to_pictures,
        _CONVERT,
        CHECKED,
        {"wrong size": GoesOn()},
    ),
}
_MAIN_THREAD: Answers = {"hangs": NoSense("is the main thread itself; sinks go on, see test_outlets.py")}
_ALONE: Answers = {
    fault: Fails(SinkError, answer.words)
    for fault, answer in _SINK.items()
    if isinstance(answer, GoesOn) and answer.words
}
LIVE: dict[str, Stage] = {
    "any source": _stage("live_fakes:FakeSource.__iter__", "yields frames", shows.plain, _SOURCE),
    "pattern": _stage(
        "media.pattern:PatternSource.picture",
        "gives pixels",
        shows.pattern,
        _SOURCE,
        _SPOILT_PIXELS,
        _COMPUTED,
    ),
    "switching": _stage(
        "media.pattern:PatternSource.picture",
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
        NO_PICTURES,
        dict.fromkeys(set(ERRORS) - {"out of memory"}, Fails(SourceError, "the screen cannot be captured: ")),
    ),
    "camera": _stage(
        "fault_shows:Capture.picture",
        "gives pixels",
        shows.of_camera,
        _SOURCE,
        _SPOILT_PIXELS,
        {"wrong type": NoSense("OpenCV gives eight bits")},
    ),
    "file": _stage("media.reader:VideoReader._next_frame", "gives a frame", shows.of_file, _SOURCE),
    "stream": _stage(
        "media.stream:_Connection._packets",
        "yields",
        shows.of_stream,
        _SOURCE,
        NO_PICTURES,
        dict.fromkeys(("device gone", "disk full", "permission lost"), GoesOn("is gone, waiting for it")),
    ),
    "browser": _stage(
        "media.browser_camera:_converted",
        "gives pixels",
        shows.of_browser,
        _SOURCE,
        _SPOILT_PIXELS,
        {"hangs": NoSense("there is no driver; browsers are waited for as long as it takes")},
    ),
    "painter": _stage(
        "live_fakes:FakeStylizer.__call__",
        "gives a frame",
        shows.plain,
        _SOURCE,
        {"hangs": Fails(MachineError, "painting has not answered")},
        {"wrong size": Fails(ValueError, "the painter"), "wrong type": Fails(TypeError, "the painter")},
    ),
    "loading": _stage(
        "live_fakes:FakeStylizer.warm_up",
        "works",
        shows.plain,
        _SOURCE,
        NO_PICTURES,
        {"hangs": Fails(MachineError, "loading the style has not answered")},
        call=1,
    ),
    "boldness": _stage(
        "fault_shows:Stylizer.embolden",
        "works",
        shows.bolder,
        _SOURCE,
        NO_PICTURES,
        {"hangs": Fails(MachineError, "a change of boldness has not answered")},
        call=1,
    ),
    "window": _stage("fault_shows:Toolkit.imshow", "works", shows.plain, _SOURCE, NO_PICTURES, _MAIN_THREAD),
    "remote": _stage("fault_shows:Audience.attend", "works", shows.plain, _SOURCE, NO_PICTURES, _MAIN_THREAD),
    "recorder": _stage("media.recorder:Recorder.write", "takes a frame", shows.recording, _SINK),
    "recording's encoder": _stage(
        "media.encoder:FilmEncoder.encode",
        "takes a frame",
        shows.recording,
        _SINK,
        {"wrong size": NoSense("the recorder scales all into one size")},
    ),
    "recording's file": _stage("media.muxer:Muxer.write", "works", shows.recording, _SINK, NO_PICTURES),
    "recording alone": _stage("media.muxer:Muxer.write", "works", shows.alone, _SINK, NO_PICTURES, _ALONE),
    "recording by key": _stage("media.muxer:Muxer.write", "works", shows.record_key, _SINK, NO_PICTURES),
    "microphone": _stage(
        "media.microphone:Microphone.take", "works", shows.recording_sound, _SINK, NO_PICTURES
    ),
    "stream server": _stage(
        "media.stream_server:StreamServer.write", "takes a frame", shows.streaming, _SINK
    ),
    "stream's readers": _stage(
        "media.mjpeg:NutMuxer.add",
        "works",
        shows.streaming,
        dict.fromkeys(FAULTS, GoesOn()),  # that reader is left alone
        NO_PICTURES,
    ),
    "virtual camera": _stage(
        "fault_shows:Loopback.send",
        "works",
        shows.to_virtual_camera,
        _SINK,
        NO_PICTURES,
        dict.fromkeys(ERRORS, GoesOn("takes no more pictures")),
    ),
    "switching on": _stage(
        "fault_shows:opened",
        "works",
        shows.switched_on,
        _SINK,
        NO_PICTURES,
        {"raises": GoesOn("BoomError: boom")},  # the library's own, of a sink that nobody needs yet
        {"hangs": GoesOn("opening the stream has not answered")},
        call=1,
    ),
    "snapshot": _stage(
        "pipeline.live:write_still",
        "works",
        shows.snapshot,
        _SINK,
        NO_PICTURES,
        {"raises": GoesOn("no snapshot: BoomError"), "hangs": GoesOn()},  # nobody waits for its thread
        call=1,
    ),
}

# What hands pictures, packets or files on, by module and class: the stages in which it is spoilt, or why not.
WORKERS: dict[str, tuple[str, ...] | NoSense] = {
    "media.adts:SteadyTrack": ("sound",),
    "media.browser_camera:BrowserSource": ("browser",),
    "media.browser_camera:CameraPeer": NoSense(
        "in the studio's own process of events, see test_browser_camera.py"
    ),
    "media.camera:CameraSource": ("camera",),
    "media.canvas:Canvas": NoSense("stills only, see test_large_stills.py"),
    "media.companions:Companions": ("sound",),
    "media.demux:Demuxer": ("reader", "sound"),
    "media.encoder:FilmEncoder": ("encoder", "recording's encoder"),
    "media.film_decoder:_VideoDecoder": ("reader", "stream"),
    "media.growing:GrowingFile": ("recording's file", "recording by key", "recording alone"),
    "media.live_source:LiveSource": ("pattern", "camera", "screen", "stream", "file", "browser"),
    "media.live_source:Metronome": NoSense("a clock"),
    "media.looped:LoopedFile": NoSense("a reader, opened again and again, which is spoilt as such"),
    "media.microphone:Microphone": ("microphone",),
    "media.mjpeg:NutMuxer": ("stream's readers",),
    "media.muxer:Muxer": ("muxer", "index", "recording's file"),
    "media.no_source:NoSource": NoSense("gives nothing, and waits"),
    "media.null:NullDisplay": NoSense("does nothing"),
    "media.paced:PacedSource": ("file",),
    "media.packets:PacketFile": ("piece",),
    "media.pattern:PatternSource": ("pattern",),
    "media.photo_decoder:PhotoDecoder": ("reader",),
    "media.reader:VideoReader": ("reader", "file"),
    "media.recorder:Recorder": ("recorder",),
    "media.screen:ScreenSource": ("screen",),
    "media.sequence:SequenceWriter": ("numbered pictures",),
    "media.sound_encoder:SoundEncoder": ("microphone",),
    "media.stream:StreamSource": ("stream",),
    "media.stream:_Connection": ("stream",),
    "media.stream_server:StreamServer": ("stream server", "stream's readers"),
    "media.stream_server:_Newest": ("stream server",),
    "media.subtitles:SubtitleTrack": ("sound",),
    "media.switching:SwitchingSource": ("switching",),
    "media.tracks:CopiedTrack": ("sound",),
    "media.tracks:RecodedTrack": ("sound",),
    "media.trial:Trial": NoSense("tries a track in memory before anything begins"),
    "media.trial:_Nowhere": NoSense("takes everything and does nothing"),
    "media.virtual_camera:VirtualCamera": ("virtual camera",),
    "media.window:Window": ("window",),
    "media.writer:VideoWriter": ("writer",),
    "pipeline.apart:_Outbox": NoSense("hands words to another process, see test_apart.py"),
    "pipeline.apart:_Process": NoSense("a process of its own, killed in test_apart.py and test_kill.py"),
    "pipeline.channel:Bounded": NoSense("waits in memory only, see test_channel.py"),
    "pipeline.channel:Latest": NoSense("waits in memory only, see test_channel.py"),
    "pipeline.channel:_Queue": NoSense("waits in memory only, see test_channel.py"),
    "pipeline.clock:Durations": NoSense("counts"),
    "pipeline.live:_Waker": NoSense("wakes a source"),
    "pipeline.sink_switches:SinkSwitches": ("switching on",),
    "pipeline.sink_switches:_Attempt": ("switching on",),
    "pipeline.outlets:Outlets": ("recorder", "stream server", "virtual camera"),
    "pipeline.output:DirectOutput": ("writer", "numbered pictures"),
    "pipeline.painter:Later": ("painter",),
    "pipeline.painter:SideBySide": ("painter",),
    "pipeline.parts:Parts": ("journal", "target"),
    "pipeline.preparation:Preparation": ("loading",),
    "pipeline.piecewise:PiecewiseFilm": ("piece", "joining", "index"),
}
# The same for threads and processes, by the file and the work or name that they are started with.
THREADS: dict[str, tuple[str, ...] | NoSense] = {
    "media.stream_server:self._accept": NoSense("test_stream_server.py floods it"),
    "media.stream_server:self._serve": ("stream's readers",),
    "media.virtual_camera:self._send": ("virtual camera",),
    "pipeline.apart:work": NoSense("a process of its own, killed in test_apart.py and test_kill.py"),
    "pipeline.journey:self._decode": ("reader",),
    "pipeline.journey:self._paint": ("painter",),
    "pipeline.journey:self._encode": ("encoder", "piece", "joining", "target"),
    "pipeline.live:self._capture": ("any source",),
    "pipeline.live:self._make_lines_ready": NoSense(
        "until it comes back, as many lines are painted as before"
    ),
    "pipeline.live:self._paint": ("painter", "loading"),
    "pipeline.live:self._set_boldness": ("boldness",),
    "pipeline.live:lambda: self._write_snapshot(path, pixels)": ("snapshot",),
    "pipeline.outlets:outlet.run_and_close": (
        *("recorder", "stream server", "virtual camera"),
        *("recording by key", "switching on"),
    ),
    "pipeline.sink_switches:attempt.run": ("switching on",),
    "pipeline.stages:run": NoSense("runs all of these"),
}
