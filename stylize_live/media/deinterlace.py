"""Interlaced pictures without their combing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from stylize_live.media.libraries import av


def deinterlaced(pictures: Iterable[av.VideoFrame]) -> Iterator[av.VideoFrame]:
    """Weave-free pictures at the same times; a network would paint the combing as brush strokes."""
    kind = None
    graph: av.filter.Graph | None = None
    for picture in pictures:
        if kind != (picture.format.name, picture.width, picture.height):
            if graph is not None:
                graph.push(None)
                yield from _pulled(graph)
            kind = (picture.format.name, picture.width, picture.height)
            graph = _deinterlacer(picture)
        assert graph is not None
        graph.push(picture)
        yield from _pulled(graph)
    if graph is not None:
        graph.push(None)
        yield from _pulled(graph)


def _deinterlacer(picture: av.VideoFrame) -> av.filter.Graph:
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=picture.width, height=picture.height, format=picture.format, time_base=picture.time_base
    )
    graph.link_nodes(source, graph.add("bwdif", "mode=send_frame:deint=interlaced"), graph.add("buffersink"))
    graph.configure()
    return graph


def _pulled(graph: av.filter.Graph) -> Iterator[av.VideoFrame]:
    while True:
        try:
            yield graph.vpull()
        except (BlockingIOError, EOFError):
            return
