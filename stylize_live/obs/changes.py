"""Changes to OBS: planned first, in words, then made."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field

from stylize_live.errors import ObsError
from stylize_live.obs.connection import Obs
from stylize_live.obs.sources import MARK, Settings, WantedSource, fit_to_canvas, lies_at
from stylize_live.obs.stage import (
    Item,
    MadeSource,
    find_made_sources,
    find_scene_on_air,
    is_playing,
    list_kinds,
    list_names,
    list_scenes,
    make_mark,
    read_canvas_size,
)

# Where a kind of source is missing: what to do instead.
_INSTEAD = {
    "browser_source": ", as some systems' own packages have none: leave out --page, the stream needs none, "
    "or install OBS from obsproject.com"
}


@dataclass
class ChangePlan:
    """Changes that are going to be made.

    Attributes:
        source: the name of the source.
        shows: what it shows afterwards, "" if it is removed.
        words: each change, as "added to scene 'Talk'", in order.
        kept: what stays although it differs from what we would make, and why.
        steps: functions that make the changes.
    """

    source: str
    shows: str = ""
    words: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    steps: list[Callable[[], None]] = field(default_factory=list)

    def add(self, words: str, step: Callable[[], None]) -> None:
        """Plan one change."""
        self.words.append(words)
        self.steps.append(step)

    def make(self) -> None:
        """Do all of it. Raises `ObsError` where OBS refuses, or is gone."""
        for step in self.steps:
            step()


def plan_source(obs: Obs, wanted: WantedSource, scene: str | None) -> ChangePlan:
    """Plan to have a source in a scene: made if it is missing, else updated.

    Args:
        obs: where.
        wanted: the source.
        scene: to have it in; None for any one in which it is, or the one on air.

    Raises:
        ObsError: OBS has no such scene or no such kind of source, or another source has its name.
    """
    if wanted.kind not in list_kinds(obs):
        raise ObsError(f"this OBS has no {wanted.title}{_INSTEAD.get(wanted.kind, '')}")
    if scene is not None:
        _check_scene(scene, list_scenes(obs))
    made = next(iter(find_made_sources(obs, wanted.kind)), None)
    if made is None:
        return _plan_new(obs, wanted, scene or find_scene_on_air(obs))
    return _plan_update(obs, wanted, made, scene)


def _check_scene(scene: str, names: list[str]) -> None:
    if scene not in names:
        near = difflib.get_close_matches(scene, names, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(names)}"
        raise ObsError(f"OBS has no scene {scene!r}, {hint}")


def _plan_new(obs: Obs, wanted: WantedSource, scene: str) -> ChangePlan:
    if wanted.name in list_names(obs):
        raise ObsError(
            f"OBS has a source or scene {wanted.name!r} already that was not made by this command: "
            "give it another name there, or remove it"
        )
    canvas = read_canvas_size(obs)
    changes = ChangePlan(wanted.name, wanted.url)
    size = f"{canvas[0]}x{canvas[1]}"
    changes.add(
        f"{wanted.title} added on top of scene {scene!r}, as large as the canvas ({size}) allows",
        lambda: _create(obs, wanted, scene, canvas),
    )
    return changes


def _create(obs: Obs, wanted: WantedSource, scene: str, canvas: tuple[int, int]) -> None:
    begun = make_mark(wanted.name, wanted.settings, {}, 1)  # should the line break now, the next run goes on
    made = obs.ask(
        "CreateInput",
        sceneName=scene,
        inputName=wanted.name,
        inputKind=wanted.kind,
        inputSettings=wanted.settings | {MARK: begun},
        sceneItemEnabled=False,  # nobody sees it before it is in its place
    )
    item = int(made["sceneItemId"])
    try:
        _place(obs, scene, item, canvas)
        _write_settings(obs, wanted.name, {MARK: begun | {"place": fit_to_canvas(canvas)}})
    except BaseException:
        with suppress(ObsError):
            obs.ask("RemoveSceneItem", sceneName=scene, sceneItemId=item)
        raise


def _place(obs: Obs, scene: str, item: int, canvas: tuple[int, int]) -> None:
    """Put a hidden source into its place, and show it."""
    _move(obs, scene, item, canvas)
    obs.ask("SetSceneItemEnabled", sceneName=scene, sceneItemId=item, sceneItemEnabled=True)


def _move(obs: Obs, scene: str, item: int, canvas: tuple[int, int]) -> None:
    place = fit_to_canvas(canvas)
    obs.ask("SetSceneItemTransform", sceneName=scene, sceneItemId=item, sceneItemTransform=place)


def _write_settings(obs: Obs, name: str, settings: Settings) -> None:
    obs.ask("SetInputSettings", inputName=name, inputSettings=settings, overlay=True)


def _plan_update(obs: Obs, wanted: WantedSource, made: MadeSource, scene: str | None) -> ChangePlan:
    canvas = read_canvas_size(obs)
    changes = ChangePlan(made.name, wanted.url)
    for item in made.items:
        _plan_place(obs, changes, item, made.mark["place"], canvas)
    items = min(int(made.mark["items"]), len(made.items))
    target = scene or (None if made.items else find_scene_on_air(obs))
    if target is not None and target not in [item.scene for item in made.items]:
        items += 1
        changes.add(f"added on top of scene {target!r}", lambda: _show_again(obs, made.name, target, canvas))
    differing = [name for name, value in wanted.settings.items() if made.settings.get(name) != value]
    if differing:
        changes.words.append(f"set again: {', '.join(differing)}")
    mark = make_mark(made.mark["name"], wanted.settings, fit_to_canvas(canvas), items)
    if differing or mark != made.mark or not is_playing(obs, made.name):
        # At the end: should the line break before, the next run goes on. OBS 29 gives up a stream that is not
        # there, sooner or later; told the same settings again, it opens it anew.
        changes.steps.append(lambda: _write_settings(obs, made.name, wanted.settings | {MARK: mark}))
    return changes


def _plan_place(obs: Obs, changes: ChangePlan, item: Item, place: Settings, canvas: tuple[int, int]) -> None:
    """Follow the canvas where nobody has moved the source from its place since."""
    put = _move if place else _place  # without a place, it was left half done, and hidden
    if place and lies_at(item.transform, fit_to_canvas(canvas)):
        return
    if lies_at(item.transform, place):
        changes.add(
            f"fitted to the canvas ({canvas[0]}x{canvas[1]}) in scene {item.scene!r}",
            lambda: put(obs, item.scene, item.number, canvas),
        )
    else:
        changes.kept.append(f"size and place in scene {item.scene!r} stay as they were changed")


def _show_again(obs: Obs, name: str, scene: str, canvas: tuple[int, int]) -> None:
    answer = obs.ask("CreateSceneItem", sceneName=scene, sourceName=name, sceneItemEnabled=False)
    _place(obs, scene, int(answer["sceneItemId"]), canvas)
