"""Interlaced frames without their combing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from stylize_live.media.libraries import av


def deinterlace(frames: Iterable[av.VideoFrame]) -> Iterator[av.VideoFrame]:
    """Frames without combing, at the same times; a network would paint the combing as brush strokes."""
    kind = None
    graph: av.filter.Graph | None = None
    for frame in frames:
        if kind != (frame.format.name, frame.width, frame.height):
            if graph is not None:
                graph.push(None)
                yield from _pull(graph)
            kind = (frame.format.name, frame.width, frame.height)
            graph = _deinterlacer(frame)
        assert graph is not None
        graph.push(frame)
        yield from _pull(graph)
    if graph is not None:
        graph.push(None)
        yield from _pull(graph)


def _deinterlacer(frame: av.VideoFrame) -> av.filter.Graph:
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=frame.width, height=frame.height, format=frame.format, time_base=frame.time_base
    )
    graph.link_nodes(source, graph.add("bwdif", "mode=send_frame:deint=interlaced"), graph.add("buffersink"))
    graph.configure()
    return graph


def _pull(graph: av.filter.Graph) -> Iterator[av.VideoFrame]:
    while True:
        try:
            yield graph.vpull()
        except (BlockingIOError, EOFError):
            return
