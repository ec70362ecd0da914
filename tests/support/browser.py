"""A real browser without a window, asked and told over its DevTools protocol."""

import base64
import json
import shutil
import subprocess
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp

from foxtrot.adapter.bridge import AsyncBridge
from foxtrot.core.clock import SystemClock
from tests.support.waiting import wait_until

BROWSER = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-extensions",
    "--disable-background-networking", "--disable-component-update", "--no-first-run", "--remote-debugging-port=0",
)  # fmt: skip
DEADLINE_S = 60.0


class Page:
    """The one tab of a browser."""

    def __init__(self, bridge: AsyncBridge, url: str) -> None:
        self._bridge = bridge
        self._number = 0
        self._session, self._ws = bridge.submit(self._connect(url)).result(DEADLINE_S)

    def value(self, script: str) -> Any:
        """What an expression is in the page now."""
        told = self.call("Runtime.evaluate", expression=script, returnByValue=True)
        return told["result"].get("value")

    def wait(self, script: str) -> None:
        """Return when an expression is true in the page."""
        wait_until(lambda: bool(self.value(script)), deadline_s=DEADLINE_S)

    def screenshot(self) -> bytes:
        """The page as PNG."""
        return base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"])

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Ask the browser and return its answer."""
        return self._bridge.submit(self._call(method, parameters)).result(DEADLINE_S)

    def close(self) -> None:
        """Let go of the tab."""
        self._bridge.submit(self._session.close()).result(DEADLINE_S)

    async def _connect(self, url: str) -> tuple[aiohttp.ClientSession, aiohttp.ClientWebSocketResponse]:
        session = aiohttp.ClientSession()
        return session, await session.ws_connect(url, max_msg_size=0)

    async def _call(self, method: str, parameters: dict[str, Any]) -> dict[str, Any]:
        self._number += 1
        await self._ws.send_str(json.dumps({"id": self._number, "method": method, "params": parameters}))
        while True:
            told = json.loads(await self._ws.receive_str())
            if told.get("id") == self._number:
                assert "error" not in told, told
                found: dict[str, Any] = told["result"]
                return found


@contextmanager
def browser(url: str, profile: Path, size: str = "800,640") -> Iterator[Page]:
    """Open a page in a browser of its own; both are gone at the end."""
    command = [str(BROWSER), *FLAGS, f"--user-data-dir={profile}", f"--window-size={size}", url]
    bridge = AsyncBridge("test-browser", SystemClock())
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            bridge.start()
            page = Page(bridge, _tab(profile / "DevToolsActivePort"))
            try:
                yield page
            finally:
                page.close()
        finally:
            process.terminate()
            process.wait(DEADLINE_S)
            assert bridge.stop() == ""


def _tab(port_file: Path) -> str:
    wait_until(lambda: port_file.exists() and port_file.read_text().count("\n") == 1, deadline_s=DEADLINE_S)
    port = port_file.read_text().split()[0]
    found: list[str] = []

    def is_there() -> bool:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as answer:
            found[:] = [one["webSocketDebuggerUrl"] for one in json.load(answer) if one["type"] == "page"]
        return bool(found)

    wait_until(is_there, deadline_s=DEADLINE_S)
    return found[0]
