"""What is written on a session's frame: the style, figures, the time of a recording, messages."""

from __future__ import annotations

from dataclasses import replace

from stylize_live.live.hotkeys import hotkey_rows
from stylize_live.live.session import Figures, LiveSession
from stylize_live.media.sinks.overlay import Caption
from stylize_live.naming import clock_time, display_name
from stylize_live.options import DEFAULT_BOLDNESS

_SECONDS = 0.25  # between changes of figures: faster ones cannot be read


class CaptionWriter:
    """Keeps the caption up to date.

    Args:
        session: whose.
    """

    def __init__(self, session: LiveSession) -> None:
        self._session = session
        self._caption = Caption()
        self._written_at = 0.0

    def update(self, now: float) -> bool:
        """Write what is true now, in monotonic seconds; whether anything changed. Messages change at once."""
        view = self._session.view
        note = view.note or self._session.trouble
        told = (note, _recorded(self._session.on_record))
        if now - self._written_at < _SECONDS and told == (self._caption.note, self._caption.recorded):
            return False
        figures = ("paused",) if view.frozen else describe_figures(self._session.figures(now))
        before, self._caption = self._caption, Caption(headline(self._session), figures, *told)
        self._written_at = now
        return before != self._caption

    def shown(self) -> Caption:
        """The caption as the view wants it; messages are shown in any case."""
        view, caption = self._session.view, self._caption
        if not view.overlay:
            caption = replace(caption, left="", right=())
        return replace(caption, table=hotkey_rows()) if view.help else caption


def headline(session: LiveSession) -> str:
    """The style, and what is unusual about how it is painted."""
    stylizer, boldness = session.stylizer, session.view.boldness
    followed = "" if session.sound is None else session.sound.style
    parts = [display_name(followed or stylizer.style)]
    if stylizer.strength < 1:
        parts.append(f"{stylizer.strength:.0%}")
    if boldness != DEFAULT_BOLDNESS and stylizer.has_boldness:
        parts.append(f"{boldness:.0%} bold")
    if session.learning is not None and (learning := session.learning.figures.words):
        parts.append(learning)
    return "  ".join(parts)


def describe_figures(figures: Figures) -> tuple[str, ...]:
    """Figures in words, the most wanted first."""
    fps, dropped = f"{figures.fps:.1f} fps", f"{figures.dropped} dropped"
    taken, painted, total = (figures.latency_ms[stage] for stage in ("capture", "inference", "total"))
    if total.p50 is None:
        return (fps, dropped)
    stages = f"taken {taken.p50:.0f}, painted {painted.p50:.0f}, shown {total.p50:.0f} ms"
    tail = f"p95 {total.p95:.0f}, p99 {total.p99:.0f} ms"
    return (fps, f"{total.p50:.0f} ms", dropped, *((figures.size,) if figures.size else ()), tail, stages)


def _recorded(seconds: float | None) -> str:
    return "" if seconds is None else clock_time(seconds)
