"""A real show of the test pattern, inverted and without a page, that remotes control."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from live_fakes import FakeStylizer

from stylize_live.config import LiveSettings
from stylize_live.lifecycle import Closeable
from stylize_live.live.pipeline import run_live
from stylize_live.live.session import LiveSession
from stylize_live.media.sinks.null_display import NullDisplay
from stylize_live.media.sinks.opening import sink_openers
from stylize_live.media.sources.opening import open_live_source
from stylize_live.remotes.group import RemoteGroup
from stylize_live.studio.control import State
from stylize_live.studio.control_desk import ControlDesk
from stylize_live.studio.sources import Sources

STYLES = ["first", "second", "third"]
SETTINGS = LiveSettings(source="test", width=64, height=36, fps=50)
RemoteT = TypeVar("RemoteT", bound=Closeable)


@dataclass
class StagedShow:
    """A show that is running; `state` is what pages would be told, as it was last."""

    desk: ControlDesk
    stylizer: FakeStylizer
    begun: threading.Event = field(default_factory=threading.Event)
    state: State = field(default_factory=dict)
    watched, shows = False, True

    def attend(self, session: LiveSession) -> None:
        self.state = self.desk.state_of(session)
        self.begun.set()


@contextmanager
def staged(open_remote: Callable[[ControlDesk], RemoteT]) -> Iterator[tuple[StagedShow, RemoteT]]:
    """A show with a remote, for as long as the block lasts."""
    sources = Sources(open_live_source(SETTINGS), SETTINGS)
    ended = threading.Event()

    class Display(NullDisplay):
        def poll(self) -> str | None:
            return "q" if ended.is_set() else None

    with ExitStack() as opened:
        source = opened.enter_context(sources.switching)
        show = StagedShow(ControlDesk(STYLES, sources, SETTINGS), FakeStylizer())
        remote = opened.enter_context(open_remote(show.desk))

        def run() -> None:
            run_live(
                source,
                show.stylizer,
                Display(watched=True),
                styles=STYLES,
                remote=RemoteGroup(show.desk, [remote, show]),
                openers=sink_openers(SETTINGS, source),
            )

        thread = threading.Thread(target=run, name="stylize-test-show")
        thread.start()
        opened.callback(thread.join, 10)
        opened.callback(ended.set)
        assert show.begun.wait(10)
        yield show, remote
