"""Interlaced frames without their combing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from stylize_live.media.libraries import av


def deinterlace(images: Iterable[av.VideoFrame]) -> Iterator[av.VideoFrame]:
    """Weave-free frames at the same times; a network would paint the combing as brush strokes."""
    kind = None
    graph: av.filter.Graph | None = None
    for image in images:
        if kind != (image.format.name, image.width, image.height):
            if graph is not None:
                graph.push(None)
                yield from _pull(graph)
            kind = (image.format.name, image.width, image.height)
            graph = _deinterlacer(image)
        assert graph is not None
        graph.push(image)
        yield from _pull(graph)
    if graph is not None:
        graph.push(None)
        yield from _pull(graph)


def _deinterlacer(image: av.VideoFrame) -> av.filter.Graph:
    graph = av.filter.Graph()
    source = graph.add_buffer(
        width=image.width, height=image.height, format=image.format, time_base=image.time_base
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
