"""The desktop as a user has it: its own process, a window manager on a virtual screen, a mouse and a keyboard."""

import json
import os
import re
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from tests.architecture.source_tree import REPOSITORY
from tests.support.waiting import wait_until

PROGRAMS: Final = ("Xvfb", "openbox", "xdotool", "import")
SIZE: Final = (1680, 1000)
JUDGED: Final = ("accepted", "partially_filled", "filled", "denied", "rejected")
CHANNELS: Final = re.compile(r"socket:\[(\d+)\]")


def missing_programs() -> str:
    """Return what must be installed for a real window, "" where all is there."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    return (
        f"a real window needs {', '.join(missing)}: apt-get install xvfb openbox xdotool imagemagick" if missing else ""
    )


class RealWindow:
    """A desktop on a screen of its own, found by the map that it writes.

    Args:
        home: its home folder.
        pictures: where pictures of the screen go.
        words: what follows `foxtrot gui`.
        size: of the screen.
        environment: further variables of the desktop.
    """

    def __init__(
        self,
        home: Path,
        pictures: Path,
        words: tuple[str, ...] = ("--demo",),
        size: tuple[int, int] = SIZE,
        environment: dict[str, str] | None = None,
    ) -> None:
        self.home = home
        self.pictures = pictures
        self._words = words
        self._size = size
        self._map = home.with_name(home.name + "-map.json")
        self._log = home.with_name(home.name + "-log.txt")
        self._environment = {**os.environ, **(environment or {}), "PYTHONPATH": str(REPOSITORY)}
        self._processes: list[subprocess.Popen[bytes]] = []
        self.desktop: subprocess.Popen[bytes] | None = None

    # --- life -------------------------------------------------------------------------------------------------------

    def start(self) -> None:
        """Open screen, window manager and desktop, and wait until the window is there."""
        self.pictures.mkdir(parents=True, exist_ok=True)
        width, height = self._size
        screen = subprocess.Popen(
            ["Xvfb", "-displayfd", "1", "-screen", "0", f"{width}x{height}x24", "-nolisten", "tcp"],
            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
        )  # fmt: skip
        self._processes.append(screen)
        assert screen.stdout is not None
        self._environment["DISPLAY"] = f":{screen.stdout.readline().decode().strip()}"
        self._begin(["openbox"], subprocess.DEVNULL)
        self.open()

    def open(self) -> None:
        """Start the desktop, again after it was closed."""
        self._map.unlink(missing_ok=True)
        self._environment |= {
            "QT_QPA_PLATFORM": "xcb",
            "FOXTROT_GUI_MAP": str(self._map),
            "FOXTROT_HOME": str(self.home),
        }
        with self._log.open("ab") as log:
            words = [sys.executable, "-m", "foxtrot", "gui", *self._words, "--json", "--home", str(self.home)]
            self.desktop = self._begin(words, log)
        wait_until(lambda: self._alive() and self._map.exists(), 60)

    def close(self, deadline_s: float = 40.0) -> int:
        """Ask the desktop to end, as a system that shuts down does, and return its status."""
        assert self.desktop is not None
        self.desktop.terminate()
        return self.desktop.wait(deadline_s)

    def end(self) -> None:
        """End all that was started."""
        for process in reversed(self._processes):
            if process.poll() is None:
                process.terminate()
                try:
                    process.wait(40)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()
            if process.stdout is not None:
                process.stdout.close()
        self._processes.clear()

    def log(self) -> str:
        """Return what the desktop has printed."""
        return self._log.read_text("utf-8", errors="replace")

    def _begin(self, words: list[str], out: Any) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(words, env=self._environment, stdout=out, stderr=subprocess.STDOUT)
        self._processes.append(process)
        return process

    def _alive(self) -> bool:
        assert self.desktop is not None
        assert self.desktop.poll() is None, self.log()[-4000:]
        return True

    # --- what it shows ----------------------------------------------------------------------------------------------

    def places(self) -> dict[str, dict[str, Any]]:
        """Return the map as it was written last."""
        self._alive()
        found: dict[str, dict[str, Any]] = json.loads(self._map.read_bytes())
        return found

    def wait_for(
        self, name: str, holds: Callable[[dict[str, Any]], bool] = bool, within_s: float = 20.0
    ) -> dict[str, Any]:
        """Wait until a part is seen, and something holds for it; return its place."""
        wait_until(lambda: name in (found := self.places()) and holds(found[name]), within_s)
        return self.places()[name]

    def until(self, holds: Callable[[], object], within_s: float = 20.0) -> None:
        """Wait until something holds."""
        wait_until(lambda: self._alive() and bool(holds()), within_s)

    def picture(self, name: str) -> Path:
        """Take a picture of the screen."""
        file = self.pictures / f"{name}.png"
        self._run("import", "-window", "root", str(file))
        return file

    # --- what a user does -------------------------------------------------------------------------------------------

    def click(self, name: str, button: int = 1, at: tuple[float, float] = (0.5, 0.5)) -> None:
        """Click a part, in its middle or at a share of its width and height."""
        self.click_at(*self.point(name, at), button)

    def point(self, name: str, at: tuple[float, float] = (0.5, 0.5)) -> tuple[int, int]:
        """Return a point of a part on the screen."""
        place = self.wait_for(name)
        return int(place["x"] + place["width"] * at[0]), int(place["y"] + place["height"] * at[1])

    def click_at(self, x: int, y: int, button: int = 1) -> None:
        """Click a point of the screen."""
        self._mouse("mousemove", x, y, "click", button)

    def drag(self, start: tuple[int, int], to: tuple[int, int]) -> None:
        """Press at one point, move in some steps, release at another."""
        self._mouse("mousemove", *start, "mousedown", 1)
        for step in range(1, 9):
            part = step / 8
            x, y = (round(a + (b - a) * part) for a, b in zip(start, to, strict=True))
            self._mouse("mousemove", x, y, "sleep", 0.03)
        self._mouse("mouseup", 1)

    def key(self, *keys: str) -> None:
        """Press keys, one after the other."""
        self._mouse("key", "--delay", 30, *keys)

    def write(self, text: str, into: str = "") -> None:
        """Write a text, into a field whose old text is replaced."""
        if into:
            self.click(into)
            self.key("ctrl+a")
        self._mouse("type", "--delay", 20, text)

    def choose(self, menu: str, entry: str) -> None:
        """Open a menu and choose an entry of it."""
        self.click(menu)
        self.click(entry)

    def fill_screen(self) -> None:
        """Make the window as large as the screen."""
        found = subprocess.run(
            ["xdotool", "search", "--onlyvisible", "--name", "^Foxtrot"], env=self._environment, capture_output=True, text=True,
            timeout=30, check=True,
        )  # fmt: skip
        width, height = self._size
        for number in found.stdout.split():
            self._run("xdotool", "windowmove", number, "0", "0", "windowsize", number, str(width - 2), str(height - 22))

    def rest_from_ticket(self, size: str) -> str:
        """Rest an order to buy on a row of the ladder well below the market, by the ticket; return the price as the row has it."""
        rows = self.prices()
        price = rows[len(rows) * 3 // 4]
        before = len(self.orders())
        self.write(price.replace(",", ""), into="ticket_price")
        self.key("Tab")
        self.write(size, into="ticket_size")
        self.key("Tab")
        self.wait_for("ticket_buy", lambda button: bool(button["enabled"]))
        self.click("ticket_buy")
        self.until(lambda: len(self.orders()) > before and self.orders()[-1]["status"] in JUDGED, 60)
        return price

    def prices(self, least_step: float = 0.0) -> list[str]:
        """Return the prices of the ladder's rows from above to below, once they are at least so far apart."""
        self.until(lambda: len(self._rows()) > 8 and _step(self._rows()) >= least_step, 40)
        return self._rows()

    def _rows(self) -> list[str]:
        names = [name.removeprefix("ladder_view/") for name in self.places() if name.startswith("ladder_view/")]
        return sorted((name for name in names if not name.startswith("own")), key=number, reverse=True)

    def _mouse(self, *words: object) -> None:
        self._run("xdotool", *map(str, words))

    def _run(self, *words: str) -> None:
        subprocess.run(words, env=self._environment, check=True, capture_output=True, timeout=30)

    # --- what others say of it --------------------------------------------------------------------------------------

    def ask(self, *words: str) -> dict[str, Any]:
        """Run a line of foxtrot for the same home, from another process, and return the object it prints."""
        line = [sys.executable, "-m", "foxtrot", *words, "--json", "--home", str(self.home)]
        ran = subprocess.run(line, env=self._environment, capture_output=True, text=True, timeout=60, check=False)
        answer: dict[str, Any] = json.loads(ran.stdout) if ran.stdout.strip() else {"error": ran.stderr}
        return answer

    def orders(self) -> list[dict[str, Any]]:
        """Return a person's orders as `foxtrot orders` tells them."""
        found: list[dict[str, Any]] = self.ask("orders", "--all").get("orders", [])
        return [order for order in found if order["owner"] == "manual"]

    def exchange(self, path: str) -> Any:
        """Ask the demo's exchange itself, as anybody may, over its public door."""
        for port in self._ports():
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                    return json.loads(answer.read())
            except (OSError, ValueError):
                continue
        raise AssertionError(f"no port of {self._ports()} answers {path}")

    def resting_at(self, symbol: str, price: float) -> float:
        """Return what rests at a price as the exchange has it."""
        depth = self.exchange(f"/api/v3/depth?symbol={symbol}&limit=5000")
        levels = {float(level): float(size) for level, size in depth["bids"] + depth["asks"]}
        return levels.get(price, 0.0)

    def _ports(self) -> list[int]:
        """Return the ports on which the desktop's process listens."""
        assert self.desktop is not None
        own: set[str] = set()
        for link in Path(f"/proc/{self.desktop.pid}/fd").iterdir():
            found = CHANNELS.match(str(link.readlink())) if link.is_symlink() else None
            own |= {found[1]} if found else set()
        rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return [int(row[1].rpartition(":")[2], 16) for row in rows if row[3] == "0A" and row[9] in own]


def number(text: str) -> float:
    """Return a price as a number."""
    return float(text.replace(",", ""))


def _step(prices: list[str]) -> float:
    return number(prices[0]) - number(prices[1])
