"""An OBS that has nothing but its remote control: obs-websocket 5 on this machine's loopback.

Its answers are those of OBS 29.0.2; what it is asked here, a real one is asked as well, see obs/test_obs.py.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.server import ServerConnection, serve

Data = dict[str, Any]
SCENE = "stage"
_SALT, _CHALLENGE = "salt", "challenge"
_WRONG_PASSWORD = 4009
_AT_FIRST = {
    **dict.fromkeys(("positionX", "positionY", "rotation", "boundsWidth", "boundsHeight"), 0.0),
    **dict.fromkeys(("cropLeft", "cropTop", "cropRight", "cropBottom", "boundsAlignment"), 0),
    **dict.fromkeys(("scaleX", "scaleY"), 1.0),
    "alignment": 5,
    "boundsType": "OBS_BOUNDS_NONE",
}


class RefusedError(Exception):
    """A request that OBS answers with an error."""

    def __init__(self, code: int, comment: str) -> None:
        super().__init__(comment)
        self.code, self.comment = code, comment


@dataclass
class FakeObs:
    """What is in it, and how it behaves.

    Attributes:
        password: "" where it asks for none.
        kinds: of sources.
        hello: the greeting; None to be silent.
        answers: by request, in place of the usual answer: a status to refuse with, or "silence" or "hang up".
        asked: every request so far.
        canvas: (width, height).
        on_air: scene.
        scenes: items by scene.
        groups: items by group.
        inputs: kind, settings and filters by source.
        cursor: milliseconds that sources have played.
    """

    password: str = ""
    kinds: list[str] = field(default_factory=lambda: ["ffmpeg_source", "color_source_v3"])
    hello: Data | str | None = field(
        default_factory=lambda: {"op": 0, "d": {"obsWebSocketVersion": "5.1.0", "rpcVersion": 1}}
    )
    answers: dict[str, Any] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    canvas: tuple[int, int] = (1280, 720)
    on_air: str = SCENE
    scenes: dict[str, list[Data]] = field(default_factory=lambda: {"Scene": [], SCENE: []})
    groups: dict[str, list[Data]] = field(default_factory=dict)
    inputs: dict[str, Data] = field(default_factory=dict)
    cursor: int | None = 1000
    numbers: int = 0
    port: int = 0

    @property
    def changed_by(self) -> list[str]:
        """The requests that change something."""
        return [name for name in self.asked if not name.startswith("Get")]

    def converse(self, line: ServerConnection) -> None:
        """With one client, until either hangs up."""
        with suppress(ConnectionClosed):
            self._converse(line)

    def _converse(self, line: ServerConnection) -> None:
        if self.hello is None:
            line.recv()  # until the client has had enough
            return
        line.send(self._greeting())
        identify = json.loads(line.recv())["d"]
        if self.password and identify.get("authentication") != secret_answer(self.password):
            line.close(_WRONG_PASSWORD, "Authentication failed.")
            return
        line.send(json.dumps({"op": 2, "d": {"negotiatedRpcVersion": identify["rpcVersion"]}}))
        for message in line:
            asked = json.loads(message)["d"]
            name = asked["requestType"]
            self.asked.append(name)
            match self.answers.get(name):
                case "silence":
                    continue
                case "hang up":
                    return
                case status:
                    answer = self._answer(name, asked.get("requestData") or {}, status)
            same = {"requestType": name, "requestId": asked["requestId"]}
            line.send(json.dumps({"op": 7, "d": same | answer}))

    def _greeting(self) -> str:
        if isinstance(self.hello, str):
            return self.hello
        assert self.hello is not None
        secret = {"authentication": {"challenge": _CHALLENGE, "salt": _SALT}} if self.password else {}
        return json.dumps({**self.hello, "d": self.hello["d"] | secret})

    def _answer(self, name: str, data: Data, status: Data | None) -> Data:
        if status is not None:
            return {"requestStatus": {"result": False} | status}
        try:
            known = getattr(self, f"do_{name}", None)
            if known is None:
                raise RefusedError(204, "Your request type is not valid.")
            found = known(**data)
        except RefusedError as refused:
            return {"requestStatus": {"result": False, "code": refused.code, "comment": refused.comment}}
        return {"requestStatus": {"result": True, "code": 100}} | ({"responseData": found} if found else {})

    # Requests: named and told as the protocol has them.

    def do_GetVersion(self) -> Data:
        return {"obsVersion": "29.0.2", "obsWebSocketVersion": "5.1.0", "rpcVersion": 1}

    def do_GetVideoSettings(self) -> Data:
        return {"baseWidth": self.canvas[0], "baseHeight": self.canvas[1]}

    def do_SetVideoSettings(self, *, baseWidth: int, baseHeight: int, **_: int) -> None:
        self.canvas = baseWidth, baseHeight

    def do_GetInputKindList(self) -> Data:
        return {"inputKinds": self.kinds}

    def do_GetSceneList(self) -> Data:
        return {"scenes": [{"sceneName": name} for name in reversed(self.scenes)]}

    def do_GetGroupList(self) -> Data:
        return {"groups": list(self.groups)}

    def do_GetCurrentProgramScene(self) -> Data:
        return {"currentProgramSceneName": self.on_air}

    def do_SetCurrentProgramScene(self, *, sceneName: str) -> None:
        self._items(sceneName)
        self.on_air = sceneName

    def do_GetSceneItemList(self, *, sceneName: str) -> Data:
        return {"sceneItems": self._items(sceneName)}

    def do_GetGroupSceneItemList(self, *, sceneName: str) -> Data:
        return {"sceneItems": self.groups[sceneName]}

    def do_GetInputList(self, *, inputKind: str = "") -> Data:
        found = {name: each for name, each in self.inputs.items() if inputKind in ("", each["kind"])}
        return {"inputs": [{"inputName": name, "inputKind": each["kind"]} for name, each in found.items()]}

    def do_GetInputSettings(self, *, inputName: str) -> Data:
        each = self._input(inputName)
        return {"inputSettings": each["settings"], "inputKind": each["kind"]}

    def do_SetInputSettings(
        self,
        *,
        inputName: str,
        inputSettings: Data,
        overlay: bool = True,
    ) -> None:
        assert overlay
        self._input(inputName)["settings"] |= inputSettings

    def do_SetInputName(self, *, inputName: str, newInputName: str) -> None:
        self._free(newInputName)
        self.inputs[newInputName] = self.inputs.pop(inputName)
        for item in self._all_items():
            if item["sourceName"] == inputName:
                item["sourceName"] = newInputName

    def do_CreateInput(
        self,
        *,
        sceneName: str,
        inputName: str,
        inputKind: str,
        inputSettings: Data,
        sceneItemEnabled: bool = True,
    ) -> Data:
        self._items(sceneName)
        self._free(inputName)
        if inputKind not in self.kinds:
            raise RefusedError(605, "Your specified input kind is not supported by OBS.")
        self.inputs[inputName] = {"kind": inputKind, "settings": dict(inputSettings), "filters": []}
        return self.do_CreateSceneItem(
            sceneName=sceneName, sourceName=inputName, sceneItemEnabled=sceneItemEnabled
        )

    def do_CreateSceneItem(self, *, sceneName: str, sourceName: str, sceneItemEnabled: bool = True) -> Data:
        self._input(sourceName)
        self.numbers += 1
        item = {"sceneItemId": self.numbers, "sourceName": sourceName, "sceneItemEnabled": sceneItemEnabled}
        self._items(sceneName).append(item | {"sceneItemTransform": dict(_AT_FIRST)})
        return {"sceneItemId": self.numbers}

    def do_SetSceneItemTransform(self, *, sceneName: str, sceneItemId: int, sceneItemTransform: Data) -> None:
        self._item(sceneName, sceneItemId)["sceneItemTransform"] |= sceneItemTransform

    def do_SetSceneItemEnabled(self, *, sceneName: str, sceneItemId: int, sceneItemEnabled: bool) -> None:
        self._item(sceneName, sceneItemId)["sceneItemEnabled"] = sceneItemEnabled

    def do_GetMediaInputStatus(self, *, inputName: str) -> Data:
        self._input(inputName)
        return {"mediaState": "OBS_MEDIA_STATE_PLAYING", "mediaCursor": self.cursor, "mediaDuration": 0}

    def do_GetSourceFilterList(self, *, sourceName: str) -> Data:
        return {"filters": self._input(sourceName)["filters"]}

    def do_CreateSourceFilter(self, *, sourceName: str, filterName: str, filterKind: str) -> None:
        self._input(sourceName)["filters"].append({"filterName": filterName, "filterKind": filterKind})

    def do_RemoveSceneItem(self, *, sceneName: str, sceneItemId: int) -> None:
        item = self._item(sceneName, sceneItemId)
        self._items(sceneName).remove(item)
        self._drop_unseen(item["sourceName"])

    def do_RemoveInput(self, *, inputName: str) -> None:
        """From the scene on air; other scenes keep it until they are shown."""
        self._input(inputName)
        items = self.scenes[self.on_air]
        items[:] = [item for item in items if item["sourceName"] != inputName]
        self._drop_unseen(inputName)

    def _drop_unseen(self, source: str) -> None:
        if source not in [item["sourceName"] for item in self._all_items()]:
            del self.inputs[source]

    def _items(self, scene: str) -> list[Data]:
        return self._found(self.scenes, scene)

    def _input(self, name: str) -> Data:
        return self._found(self.inputs, name)

    @staticmethod
    def _found(known: dict[str, Any], name: str) -> Any:
        if name not in known:
            raise RefusedError(600, f"No source was found by the name of `{name}`.")
        return known[name]

    def _item(self, scene: str, number: int) -> Data:
        return next(item for item in self._items(scene) if item["sceneItemId"] == number)

    def _all_items(self) -> Iterator[Data]:
        for items in (*self.scenes.values(), *self.groups.values()):
            yield from items

    def _free(self, name: str) -> None:
        if name in {*self.inputs, *self.scenes, *self.groups}:
            raise RefusedError(601, "A source already exists by that input name.")


def secret_answer(password: str) -> str:
    """What a client that knows the password says to the challenge."""
    secret = base64.b64encode(hashlib.sha256((password + _SALT).encode()).digest())
    return base64.b64encode(hashlib.sha256(secret + _CHALLENGE.encode()).digest()).decode()


@contextmanager
def served(converse: Callable[[ServerConnection], None]) -> Iterator[int]:
    """Let clients come; the port."""
    with serve(converse, "127.0.0.1", 0) as server:
        thread = threading.Thread(target=server.serve_forever, name="fake-obs")
        thread.start()
        try:
            yield int(server.socket.getsockname()[1])
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def running(obs: FakeObs) -> Iterator[FakeObs]:
    """Let it listen; its `port` is set."""
    with served(obs.converse) as obs.port:
        yield obs
