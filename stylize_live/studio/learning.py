"""What pages and programs see of a painting that is learnt, and what they may have done about it."""

from __future__ import annotations

from pathlib import Path

from stylize_live.errors import UsageError
from stylize_live.learning.words import MEMORY
from stylize_live.live.learning import LiveLearning
from stylize_live.live.session import LiveSession

_MUCH_REST = 1.0  # seconds after each second of practice


def learning_state(session: LiveSession) -> dict[str, object]:
    """Whether a painting is learnt, and how far it is: whole percents and seconds, which change seldom."""
    learning = session.learning
    if learning is None:
        return {"learning": False, "learnt": None}
    figures = learning.figures
    return {
        "learning": learning.on and figures.state not in ("off", "done"),
        "learnt": {
            "state": figures.state,
            "painting": figures.painting,
            "percent": int(100 * figures.share),
            "steps": figures.steps,
            "left": 5 * round(figures.left / 5),
            "held_up": figures.rest >= _MUCH_REST,
            "period": learning.period,
            "memory": MEMORY,
            "first_look": figures.first_look,
            "trouble": figures.trouble,
        },
    }


def learning_of(session: LiveSession) -> LiveLearning:
    """What learns. Raises `UsageError` where nothing can."""
    if session.learning is None:
        raise UsageError("nothing can be learnt here")
    return session.learning


def keep_learnt(session: LiveSession, name: str) -> Path:
    """Keep what is shown as a style of the user's own; its file. Raises as `LiveLearning.keep`."""
    path = learning_of(session).keep(name)
    session.view.say(f"kept as {path.stem}, a style of your own")
    return path
