"""What pages and programs see of a painting that is learnt, and what they may have done about it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from stylize_live.errors import UsageError
from stylize_live.live.learning import LearningFigures, LiveLearning
from stylize_live.studio import control
from stylize_live.studio.actions import ACTIONS
from stylize_live.studio.controls import command_of, list_controls
from stylize_live.studio.learning import keep_learnt, learning_state
from stylize_live.studio.messages import SettingChanges, apply_output_changes

NONE: Any = ({}, control.Choices([], {}))


def make_session(learning: LiveLearning | None) -> Any:
    return SimpleNamespace(learning=learning, said=[])


def test_pages_see_how_far_it_is() -> None:
    learning = LiveLearning(begins=True)
    learning.figures = LearningFigures("learning", "irises.jpg", 0.404, 31, 40.0, 61.0, 0.0, 2, False)
    state = learning_state(make_session(learning))
    assert state["learning"] is True
    assert state["learnt"] == {
        "state": "learning",
        "painting": "irises.jpg",
        "percent": 40,
        "steps": 31,
        "left": 60,
        "held_up": False,
        "period": 600,
        "memory": "1.4 GB",
        "first_look": False,
        "trouble": "",
    }


def test_pages_see_that_the_show_holds_it_up() -> None:
    learning = LiveLearning(begins=True)
    for rest, wanted in ((0.2, False), (4.0, True)):
        learning.figures = LearningFigures("learning", "irises.jpg", rest=rest)
        learnt: Any = learning_state(make_session(learning))["learnt"]
        assert learnt["held_up"] is wanted


def test_where_nothing_can_be_learnt() -> None:
    session = make_session(None)
    assert learning_state(session) == {"learning": False, "learnt": None}
    with pytest.raises(UsageError):
        apply_output_changes(SettingChanges(learning=True), session)
    with pytest.raises(UsageError):
        keep_learnt(session, "name")
    for name in ("end_learning", "undo_learning"):
        with pytest.raises(UsageError):
            ACTIONS[name](session, session)


def test_it_is_switched_on_and_off() -> None:
    learning = LiveLearning()
    learning.figures = LearningFigures(painting="irises.jpg")
    session = make_session(learning)
    apply_output_changes(SettingChanges(learning=True), session)
    assert learning.on
    apply_output_changes(SettingChanges(learning=False), session)
    assert not learning.on
    with pytest.raises(UsageError, match="no painting"):
        LiveLearning().turn(True)


def test_programs_and_knobs_have_the_same() -> None:
    controls = list_controls()
    assert controls["learning"].kind == "switch"
    assert controls["end_learning"].kind == controls["undo_learning"].kind == "action"
    assert command_of(controls["keep"], "My wall")(*NONE).keep == "My wall"
    assert command_of(controls["undo_learning"], None)(*NONE).do == "undo_learning"
    with pytest.raises(UsageError):
        control.keep_as("x" * 100)
