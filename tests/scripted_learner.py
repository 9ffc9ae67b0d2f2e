"""In place of the process that learns: says what it is given to say, and remembers what it was told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import Self

from stylize_live.learning.messages import LearningJob


class ScriptedLearner:
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

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def scripted(*words: object) -> type[ScriptedLearner]:
    """A class whose learners all say these words."""
    return type("Scripted", (ScriptedLearner,), {"made": [], "script": words})
