"""A real Chromium without a window, driven through its DevTools protocol."""

from __future__ import annotations

import base64
import json
import subprocess
import tempfile
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from waiting import eventually
from websockets.sync.client import connect

_START_SECONDS = 60.0


class Chromium:
    """One browser with one page; more pages with `open`.

    Args:
        program: the browser.
        options: further command-line options.
    """

    def __init__(self, program: Path, *options: str) -> None:
        self._profile = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
        self._process = subprocess.Popen(
            [
                str(program),
                "--headless=new",
                "--no-sandbox",
                "--disable-gpu",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--force-color-profile=srgb",
                "--remote-debugging-port=0",
                f"--user-data-dir={self._profile.name}",
                *options,
                "about:blank",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        self._tabs: list[Tab] = []
        self._port = self._wait_for_port()

    def _wait_for_port(self) -> int:
        path = Path(self._profile.name) / "DevToolsActivePort"
        text = eventually(
            lambda: path.exists() and path.read_text(), "Chromium starts", within=_START_SECONDS, every=0.1
        )
        return int(str(text).splitlines()[0])

    def open(self, url: str, size: tuple[int, int] = (1440, 900), *, phone: bool = False) -> Tab:
        """Open a page in a tab of this (width, height)."""
        request = urllib.request.Request(f"http://127.0.0.1:{self._port}/json/new?about:blank", method="PUT")
        with urllib.request.urlopen(request, timeout=20) as answer:
            target = json.load(answer)
        tab = Tab(target["webSocketDebuggerUrl"], size, phone)
        self._tabs.append(tab)
        tab.go(url)
        return tab

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for tab in self._tabs:
            tab.close()
        self._process.terminate()
        self._process.wait(20)
        self._profile.cleanup()


class Tab:
    """A page: run scripts in it, touch it as a mouse does, take its image."""

    def __init__(self, address: str, size: tuple[int, int], phone: bool) -> None:
        self._opened = ExitStack()
        self._line = self._opened.enter_context(
            connect(address, max_size=None, proxy=None, ping_interval=None)
        )
        self._number = 0
        self.said: list[str] = []
        self.requests: list[str] = []
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.call(f"{domain}.enable")
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=size[0],
            height=size[1],
            deviceScaleFactor=2 if phone else 1,
            mobile=phone,
        )
        if phone:
            self.call("Emulation.setTouchEmulationEnabled", enabled=True)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """One command and its answer; what the page says meanwhile is noted."""
        self._number += 1
        self._line.send(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            message = json.loads(self._line.recv(timeout=60))
            if message.get("id") == self._number:
                if "error" in message:
                    raise RuntimeError(f"{method}: {message['error']['message']}")
                answer: dict[str, Any] = message["result"]
                return answer
            self._note(message)

    def _note(self, message: dict[str, Any]) -> None:
        parameters = message.get("params", {})
        if message["method"] == "Runtime.exceptionThrown":
            details = parameters["exceptionDetails"]
            self.said.append(details.get("exception", {}).get("description") or details["text"])
        elif message["method"] == "Log.entryAdded":
            self.said.append(f"{parameters['entry']['text']} {parameters['entry'].get('url', '')}")
        elif message["method"] in ("Network.requestWillBeSent", "Network.webSocketCreated"):
            self.requests.append(parameters.get("url") or parameters["request"]["url"])

    def go(self, url: str) -> None:
        """Load a page and wait until its scripts have run."""
        self.call("Page.navigate", url=url)
        self.until("document.readyState === 'complete'")

    def run(self, script: str) -> Any:
        """The value of a script."""
        answer = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        if "exceptionDetails" in answer:
            raise RuntimeError(answer["exceptionDetails"]["exception"]["description"])
        return answer["result"].get("value")

    def until(self, script: str, seconds: float = 30.0) -> Any:
        """Wait until a script's value is true."""
        return eventually(lambda: self.run(script), script, within=seconds, every=0.05)

    def click(self, selector: str) -> None:
        """Press and release the mouse in the middle of an element."""
        x, y = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            "e.scrollIntoView({block: 'nearest', inline: 'nearest'}); const b = e.getBoundingClientRect();"
            "return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        self._mouse("mousePressed", x, y)
        self._mouse("mouseReleased", x, y)

    def drag(self, selector: str, start: float, end: float, steps: int = 12) -> None:
        """Move a slider's thumb from one share of its width to another."""
        x, y, width, height = self.run(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)});"
            "e.scrollIntoView({block: 'nearest'}); const b = e.getBoundingClientRect();"
            "return [b.x, b.y, b.width, b.height]; })()"
        )
        middle = y + height / 2
        self._mouse("mousePressed", x + start * width, middle)
        for step in range(1, steps + 1):
            self._mouse("mouseMoved", x + (start + (end - start) * step / steps) * width, middle)
        self._mouse("mouseReleased", x + end * width, middle)

    def _mouse(self, kind: str, x: float, y: float) -> None:
        self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=1, clickCount=1)

    def carry(self, path: Path, selector: str, *, drop: bool = True) -> None:
        """Drag a file from outside over the middle of an element, and drop it there."""
        x, y = self.run(
            f"(() => {{ const b = document.querySelector({json.dumps(selector)}).getBoundingClientRect();"
            "return [b.x + b.width / 2, b.y + b.height / 2]; })()"
        )
        data = {"items": [], "files": [str(path)], "dragOperationsMask": 1}
        for kind in ("dragEnter", "dragOver", *(["drop"] if drop else [])):
            self.call("Input.dispatchDragEvent", type=kind, x=x, y=y, data=data)

    def pick(self, path: Path, selector: str) -> None:
        """Choose a file in an input."""
        node = self.call("DOM.getDocument")["root"]["nodeId"]
        found = self.call("DOM.querySelector", nodeId=node, selector=selector)
        self.call("DOM.setFileInputFiles", files=[str(path)], nodeId=found["nodeId"])

    def key(self, key: str) -> None:
        """Press and release a key."""
        text = {"text": key} if len(key) == 1 else {}
        self.call("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
        self.call("Input.dispatchKeyEvent", type="keyUp", key=key)

    def image(self) -> bytes:
        """PNG of what is seen."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def settle(self) -> None:
        """Wait until what was touched has gone out and come back."""
        self.run("new Promise((done) => setTimeout(done, 800))")

    def leave(self) -> None:
        """Close the tab."""
        self.call("Page.close")
        self.close()

    def close(self) -> None:
        """Let go of the tab; it goes with the browser."""
        self._opened.close()
