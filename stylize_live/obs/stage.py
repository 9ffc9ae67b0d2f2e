"""What OBS has: scenes, the sources in them, and which of these we made."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from stylize_live.obs.connection import Obs
from stylize_live.obs.sources import MARK, Settings


@dataclass(frozen=True)
class Item:
    """A source's place in a scene.

    Attributes:
        scene: or group.
        number: OBS's, unique in the scene.
        transform: where it lies.
    """

    scene: str
    number: int
    transform: Settings


@dataclass(frozen=True)
class MadeSource:
    """A source that we made.

    Attributes:
        name: what it is called now.
        settings: what it is set to now, without our mark.
        mark: what we wrote down about it, see `make_mark`.
        items: all its places, in all scenes and groups.
        filters: on it, by name.
    """

    name: str
    settings: Settings
    mark: Settings
    items: list[Item] = field(default_factory=list)
    filters: list[str] = field(default_factory=list)


def make_mark(name: str, settings: Settings, place: Settings, items: int) -> Settings:
    """Make what is written into a source's settings when it was made or updated.

    Args:
        name: of the source.
        settings: what it is set to.
        place: where it lies.
        items: in how many places we put it.
    """
    return {"name": name, "settings": settings, "place": place, "items": items}


def read_canvas_size(obs: Obs) -> tuple[int, int]:
    """(width, height) in pixels of what scenes are laid out on."""
    video = obs.ask("GetVideoSettings")
    return int(video["baseWidth"]), int(video["baseHeight"])


def list_scenes(obs: Obs) -> list[str]:
    """All scenes, in the order in which OBS shows them."""
    return [str(scene["sceneName"]) for scene in reversed(obs.ask("GetSceneList")["scenes"])]


def find_scene_on_air(obs: Obs) -> str:
    """The scene that OBS shows now."""
    return str(obs.ask("GetCurrentProgramScene")["currentProgramSceneName"])


def list_kinds(obs: Obs) -> list[str]:
    """The kinds of sources that this OBS has."""
    return list(obs.ask("GetInputKindList")["inputKinds"])


def list_names(obs: Obs) -> set[str]:
    """Names in use: sources, scenes and groups share them."""
    inputs = {str(each["inputName"]) for each in obs.ask("GetInputList")["inputs"]}
    return inputs | set(list_scenes(obs)) | set(_groups(obs))


def find_made_sources(obs: Obs, kind: str) -> list[MadeSource]:
    """The sources of a kind that carry our mark; first those that still have their first name."""
    found = []
    for each in obs.ask("GetInputList", inputKind=kind)["inputs"]:
        name = str(each["inputName"])
        settings = dict(obs.ask("GetInputSettings", inputName=name)["inputSettings"])
        mark = settings.pop(MARK, None)
        if isinstance(mark, dict) and make_mark("", {}, {}, 0).keys() <= mark.keys():
            found.append(MadeSource(name, settings, mark, _items_of(obs, name), _filters(obs, name)))
    return sorted(found, key=lambda made: made.name != made.mark["name"])


def is_playing(obs: Obs, source: str) -> bool:
    """Whether a source shows frames now. OBS calls one "playing", too, that it has given up; its clock
    stands still then. A page has none, and needs no help."""
    return bool(obs.ask("GetMediaInputStatus", inputName=source)["mediaCursor"] != 0)


def _items_of(obs: Obs, source: str) -> list[Item]:
    return [
        Item(scene, int(item["sceneItemId"]), dict(item["sceneItemTransform"]))
        for scene, item in _all_items(obs)
        if item["sourceName"] == source
    ]


def _all_items(obs: Obs) -> Iterator[tuple[str, dict[str, Any]]]:
    for scene in list_scenes(obs):
        for item in obs.ask("GetSceneItemList", sceneName=scene)["sceneItems"]:
            yield scene, item
    for group in _groups(obs):
        for item in obs.ask("GetGroupSceneItemList", sceneName=group)["sceneItems"]:
            yield group, item


def _groups(obs: Obs) -> list[str]:
    return [str(name) for name in obs.ask("GetGroupList")["groups"]]


def _filters(obs: Obs, source: str) -> list[str]:
    return [str(each["filterName"]) for each in obs.ask("GetSourceFilterList", sourceName=source)["filters"]]
