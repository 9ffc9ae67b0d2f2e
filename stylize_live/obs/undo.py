"""Removes what we made in OBS, and nothing that somebody has changed since."""

from __future__ import annotations

from stylize_live.obs.changes import ChangePlan
from stylize_live.obs.connection import Obs
from stylize_live.obs.sources import lies_at
from stylize_live.obs.stage import MadeSource, find_made_sources


def plan_undo(obs: Obs, kind: str) -> list[ChangePlan]:
    """Remove the sources of a kind that are as we made them; each of the others is kept, with the reason."""
    return [_plan(obs, made) for made in find_made_sources(obs, kind)]


def _plan(obs: Obs, made: MadeSource) -> ChangePlan:
    changes = ChangePlan(made.name)
    reasons = find_changes(made)
    if reasons:
        changes.kept.append(f"kept, as {', '.join(reasons)}: remove it in OBS if you do not need it")
    else:
        changes.add("removed", lambda: _remove(obs, made))
    return changes


def _remove(obs: Obs, made: MadeSource) -> None:
    """OBS drops a source with its last place; told to drop the source itself, it would keep it in scenes that
    are not on air until they are shown."""
    for item in made.items:
        obs.ask("RemoveSceneItem", sceneName=item.scene, sceneItemId=item.number)
    if not made.items:
        obs.ask("RemoveInput", inputName=made.name)


def find_changes(made: MadeSource) -> list[str]:
    """What somebody did to a source after we made it; hiding it and locking it do not count."""
    mark = made.mark
    found = {
        "it was renamed or copied": made.name != mark["name"],
        "its settings were changed": made.settings != mark["settings"],
        "it was given filters": bool(made.filters),
        "it was added to a scene": len(made.items) > mark["items"],
        "it was moved or resized": not all(lies_at(item.transform, mark["place"]) for item in made.items),
    }
    return [words for words, is_so in found.items() if is_so]
