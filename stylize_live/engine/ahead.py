"""Motion measured ahead: while a GPU paints a picture, threads compare those to come.

The search of one picture gains little from more cores, but those of different pictures need nothing of each
other, once it is known which pictures are to be compared.
"""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import islice

from stylize_live.closing import Closing
from stylize_live.engine.flow import FlowEstimator, Motion
from stylize_live.engine.watcher import Memory, MotionWatcher, Pair, PairWatcher
from stylize_live.frame import Frame

_MOST_WORKERS = 4  # decoders and encoders want cores, too
_SPARE = 2  # frames taken early beyond one for each worker, so that none waits for the next to be decoded


@dataclass(frozen=True, slots=True)
class _Look:
    """What is known of a frame that was looked at.

    Attributes:
        memory: of the watcher behind it.
        motion: being measured; None where nothing goes on.
    """

    memory: Memory
    motion: Future[Motion] | None


class _OfThread(threading.local):
    """What each thread has for itself: estimators take one picture at a time."""

    def __init__(self) -> None:
        self.estimate = FlowEstimator()


class Lookahead(Closing):
    """A stream of frames, some of which are taken early so that threads can measure their motion meanwhile.

    Everything but the search is done by the thread that uses it. For every frame taken, motion is asked for;
    where that was left out, `reset` comes before it is again. Closing ends the threads.

    Args:
        frames: the stream.
        watcher: what was before its first frame. It is kept behind the frame whose motion was last given, as
            if it had measured that itself, however many have been looked at.
    """

    def __init__(self, frames: Iterable[Frame], watcher: MotionWatcher) -> None:
        workers = _workers()
        self._frames = iter(frames)
        self._ended = False
        self._failure: Exception | None = None
        self._watcher = watcher
        self._pairs = PairWatcher()  # ahead of the watcher
        self._pairs.memory = watcher.memory
        self._most_early = workers + _SPARE
        self._waiting: deque[Frame] = deque()
        self._looks: deque[_Look] = deque()  # of the frame taken last and of the first that wait
        self._own = _OfThread()
        self._pool = ThreadPoolExecutor(workers, "stylize-motion")

    def take(self, *, early: bool) -> Frame | None:
        """The next frame; None behind the last.

        What the source raises is raised here, behind all frames that came before.

        Args:
            early: whether to take those after it, too, because their motion will be wanted.
        """
        wanted = 1 + self._most_early if early else 1
        while len(self._waiting) < wanted and not self._ended:
            self._fetch()
        if self._waiting:
            return self._waiting.popleft()
        if self._failure is not None:
            raise self._failure
        return None

    def _fetch(self) -> None:
        try:
            frame = next(self._frames, None)
        except Exception as error:
            self._failure, frame = error, None
        if frame is None:
            self._ended = True
        else:
            self._waiting.append(frame)

    def motion_of(self, frame: Frame) -> Callable[[], Motion | None]:
        """Have the threads measure the motion of all frames that were taken, early ones included.

        Args:
            frame: the one taken last.

        Returns:
            What waits for the frame's motion; see `MotionWatcher.follow`.
        """
        for coming in islice((frame, *self._waiting), len(self._looks), None):
            self._looks.append(self._look(coming))
        return partial(self._found, self._looks.popleft())

    def _look(self, frame: Frame) -> _Look:
        pair = self._pairs.look(frame)
        return _Look(self._pairs.memory, None if pair is None else self._pool.submit(self._measured, pair))

    def _measured(self, pair: Pair) -> Motion:
        # Always with a glance: the hint is of whichever picture this thread had last.
        self._own.estimate.everywhere = False
        return self._own.estimate(*pair)

    def _found(self, look: _Look) -> Motion | None:
        self._watcher.memory = look.memory
        return None if look.motion is None else look.motion.result()

    def reset(self) -> None:
        """Forget everything; the frame taken last is the first, whatever was measured of it and those behind.

        They are looked at again: where cuts are depends on the pictures before, too.
        """
        self._watcher.reset()
        self._pairs.reset()
        for look in self._looks:
            if look.motion is not None:
                look.motion.cancel()
        self._looks.clear()

    def close(self) -> None:
        """End the threads; what they have not begun is not done. May be called twice."""
        self._pool.shutdown(cancel_futures=True)


def _workers() -> int:
    """How many threads measure at once."""
    return max(1, min(_MOST_WORKERS, (os.cpu_count() or 1) // 2))
