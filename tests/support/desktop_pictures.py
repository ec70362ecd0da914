"""Takes the pictures of docs/pictures from a real window: `python -m tests.support.desktop_pictures [MINUTES]`.

It trades on the demo for a minute or two, so that there is something to see: `scripts/pictures` runs it.
"""

import subprocess
import sys
import tempfile
from pathlib import Path
from time import sleep
from typing import Final

from tests.architecture.source_tree import REPOSITORY
from tests.support.real_window import RealWindow, missing_programs

FOLDER: Final = REPOSITORY / "docs" / "pictures"
BARS: Final = REPOSITORY / "docs/examples/btcusdt_1m_simulated.csv"
SCREEN: Final = (1600, 940)
MOST_BYTES: Final = 300_000
COLOURS: Final = 128
SIDES: Final = ("width", "height")
BIDS: Final = (0.27, 0.5)
"""In a row of the ladder, the column of the bids."""


def take(minutes: float) -> None:
    """Open the demo, trade, and take every picture."""
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        (home / "desktop").mkdir(mode=0o700, parents=True)
        home.chmod(0o700)
        settings = home / "desktop" / "desktop.json"
        settings.write_text('{"wizard_done": true}')
        settings.chmod(0o600)
        window = RealWindow(home, Path(folder) / "pictures", size=SCREEN)
        try:
            window.start()
            _take_all(window, minutes)
        finally:
            window.end()
            print(window.log()[-1500:])


def _take_all(window: RealWindow, minutes: float) -> None:
    window.wait_for("light-demo", lambda light: light["text"].endswith(("ms", " s")), 120)
    window.fill_screen()
    _strategies(window, minutes)
    window.key("ctrl+1")
    _first_minutes(window)
    _trading(window)
    _backtest(window)
    _monitor(window)
    _safety(window)


def _strategies(window: RealWindow, minutes: float) -> None:
    window.key("ctrl+2")
    window.click("strategies_table/0", at=(0.2, 0.5))
    window.click("strategy_start")
    sleep(minutes * 60)  # until strategies have traded
    _keep(window, "strategies")


def _first_minutes(window: RealWindow) -> None:
    """Take the ladder as it asks before an order is sent."""
    window.prices()
    for _ in range(9):
        rows = window.prices()
        window.click(f"ladder_view/{rows[len(rows) * 3 // 4]}", at=BIDS)
        sleep(2)  # rows that have just moved take no click, and the map is as old as a second
        if "ladder_send" in window.places():
            break
    _keep(window, "first")
    window.key("Escape")


def _trading(window: RealWindow) -> None:
    """Rest an order, and take the whole window and the ladder with it."""
    window.click("ladder_group")
    window.key("End", "Return")
    window.prices(least_step=5.0)
    window.rest_from_ticket("0.25")
    window.click(next(name for name in window.places() if "/Orders" in name))  # it counts in its tab
    sleep(5)
    _keep(window, "desktop")
    _keep(window, "ladder", of="ladder-1")


def _backtest(window: RealWindow) -> None:
    window.key("ctrl+3")
    window.write("double_ma", into="backtest_strategy")
    window.key("Tab")
    window.write(str(BARS), into="backtest_file")
    window.key("Tab")
    window.wait_for("backtest_run", lambda button: bool(button["enabled"]))
    window.click("backtest_run")
    window.wait_for("backtest_report", lambda button: bool(button["enabled"]), 120)
    window.click("tabs/Charts")
    sleep(3)
    _keep(window, "backtest")


def _monitor(window: RealWindow) -> None:
    window.key("ctrl+4")
    window.wait_for("risk_resume")
    sleep(4)
    _keep(window, "workspaces")


def _safety(window: RealWindow) -> None:
    """Kill last of all, and take what it says beside the risk panel."""
    window.click("kill")
    window.wait_for("kill_flatten", lambda button: bool(button["enabled"]), 60)
    sleep(4)
    _keep(window, "safety")


def _keep(window: RealWindow, name: str, of: str = "main_window") -> None:
    """Put a picture of a part of the window into the documents, in few colours, so that it is small."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    kept = FOLDER / f"{name}.png"
    place = window.wait_for(of)
    width, height = (min(place[side], most - place[at]) for side, at, most in zip(SIDES, "xy", SCREEN, strict=True))
    part = f"{width}x{height}+{place['x']}+{place['y']}"
    picture = window.picture(name)
    subprocess.run(
        ["convert", str(picture), "-crop", part, "+repage", "+dither", "-colors", str(COLOURS), "-strip", f"png8:{kept}"], check=True
    )  # fmt: skip
    if kept.stat().st_size > MOST_BYTES:
        raise SystemExit(f"{kept} has {kept.stat().st_size:,} bytes, more than {MOST_BYTES:,}: use fewer colours")
    print(f"{kept}: {kept.stat().st_size:,} bytes")


if __name__ == "__main__":
    missing = missing_programs()
    if missing:
        raise SystemExit(missing)
    take(float(sys.argv[1]) if len(sys.argv) > 1 else 1.5)
