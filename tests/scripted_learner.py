"""In place of the process that learns: says what it is given to say, and remembers what it was told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from stylize_live.learning.messages import LearningJob
from stylize_live.lifecycle import Closeable


class ScriptedLearner(Closeable):
    """A new class for each test, by `scripted`.

    Attributes:
        made: all that there were.
        script: what each says from its beginning; an error, or Ctrl-C, is raised.
    """

    made: list[ScriptedLearner]
    script: Sequence[object] = ()

    def __init__(self, job: LearningJob, patience: float = 1.0) -> None:
        self.job, self.told, self.closed = job, list[object](), False
        self.said = list(self.script)
        type(self).made.append(self)

    def tell(self, word: object) -> None:
        self.told.append(word)

    def hear(self, seconds: float = 0.0) -> Iterator[object]:
        said, self.said = self.said, []
        for word in said:
            if isinstance(word, BaseException):
                raise word
            yield word

    def close(self) -> None:
        self.closed = True


def scripted(*words: object) -> type[ScriptedLearner]:
    """A class whose learners all say these words."""
    return type("Scripted", (ScriptedLearner,), {"made": [], "script": words})
