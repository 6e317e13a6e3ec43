"""A headless Chromium to look at pages with."""

import base64
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image as Pictures


class Browser:
    """Headless Chromium, spoken to over its pipes."""

    def __init__(self, program: str, profile: Path) -> None:
        to_it, self._write = os.pipe()
        self._read, from_it = os.pipe()
        arguments = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe"]
        arguments += [f"--user-data-dir={profile}", "about:blank"]
        # Chromium takes its commands from descriptor 3 and answers on 4.
        start = (
            "import fcntl, os, sys\n"
            "ends = [fcntl.fcntl(int(end), fcntl.F_DUPFD, 10) for end in sys.argv[1:3]]\n"
            "for place, end in enumerate(ends, 3): os.dup2(end, place)\n"
            "os.execv(sys.argv[3], sys.argv[3:])\n"
        )
        self._process = subprocess.Popen(
            [sys.executable, "-c", start, str(to_it), str(from_it), program, *arguments],
            pass_fds=(to_it, from_it),
            stderr=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
        )
        os.close(to_it)
        os.close(from_it)
        self._buffer, self._last, self.events = b"", 0, list[dict[str, Any]]()

    def _next(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            read = os.read(self._read, 1 << 20)
            if not read:
                raise EOFError("the browser has ended")
            self._buffer += read
        message, _, self._buffer = self._buffer.partition(b"\0")
        found: dict[str, Any] = json.loads(message)
        return found

    def call(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        self._last += 1
        message = {"id": self._last, "method": method, "params": parameters}
        if session is not None:
            message["sessionId"] = session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._last:
                assert "error" not in answer, answer
                result: dict[str, Any] = answer["result"]
                return result
            self.events.append(answer)

    def wait(self, name: str) -> None:
        while not any(event.get("method") == name for event in self.events):
            self.events.append(self._next())

    def close(self) -> None:
        self._process.terminate()
        self._process.wait()
        os.close(self._write)
        os.close(self._read)


@dataclass(frozen=True)
class Looked:
    """What a browser saw of a page: its picture, widths, what it asked for and complained of."""

    picture: Pictures.Image
    page_width: int
    window_width: int
    requests: list[str]
    complaints: list[Any]
    evaluated: Any


def look_at(
    browser: Browser, page: Path, width: int, *, dark: bool = False, ask: str = "null"
) -> Looked:
    """Open a file in a window of some width, without scripts, and look at its first screens."""
    browser.events.clear()
    target = browser.call("Target.createTarget", url="about:blank")["targetId"]
    session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    for domain in ("Page", "Network", "Log", "Runtime"):
        browser.call(f"{domain}.enable", session)
    browser.call(
        "Emulation.setDeviceMetricsOverride",
        session, width=width, height=900, deviceScaleFactor=1, mobile=width < 600,
    )  # fmt: skip
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    browser.call("Emulation.setEmulatedMedia", session, features=[scheme])
    browser.call("Page.navigate", session, url=page.as_uri())
    browser.wait("Page.loadEventFired")

    def value(expression: str) -> Any:
        answer = browser.call(
            "Runtime.evaluate", session, expression=expression, returnByValue=True,
            awaitPromise=True,
        )  # fmt: skip
        return answer["result"].get("value")

    page_width = value("document.documentElement.scrollWidth")
    evaluated = value(ask)
    clip = {"x": 0, "y": 0, "width": width, "height": 2500, "scale": 1}
    shot = browser.call("Page.captureScreenshot", session, captureBeyondViewport=True, clip=clip)
    picture = Pictures.open(BytesIO(base64.b64decode(shot["data"]))).convert("RGB")
    browser.call("Target.closeTarget", targetId=target)
    sent = [
        event["params"]["request"]["url"]
        for event in browser.events
        if event.get("method") == "Network.requestWillBeSent"
    ]
    complaints = [
        event["params"]
        for event in browser.events
        if event.get("method")
        in ("Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled")
    ]
    return Looked(picture, page_width, width, sent, complaints, evaluated)
