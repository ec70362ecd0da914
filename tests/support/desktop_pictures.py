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
    window.key("ctrl+2")
    window.click("strategies_table/0", at=(0.2, 0.5))
    window.click("strategy_start")
    sleep(minutes * 60)  # until strategies have traded
    _keep(window.picture("strategies"), "strategies")
    window.key("ctrl+1")
    window.click("ladder_group")
    window.key("End", "Return")
    window.prices(least_step=5.0)
    window.rest_from_ticket("0.25")
    tabs = [name for name in window.places() if "/Orders" in name]
    for name in tabs[:1]:
        window.click(name)
    sleep(5)
    _keep(window.picture("desktop"), "desktop")
    ladder = window.wait_for("ladder-1")
    part = f"{ladder['width']}x{ladder['height']}+{ladder['x']}+{ladder['y']}"
    _keep(window.picture("ladder"), "ladder", "-crop", part, "+repage")
    window.key("ctrl+3")
    window.write("double_ma", into="backtest_strategy")
    window.key("Tab")
    window.write(str(BARS), into="backtest_file")
    window.key("Tab")
    window.click("backtest_run")
    window.wait_for("backtest_report", lambda button: bool(button["enabled"]), 120)
    sleep(3)
    _keep(window.picture("backtest"), "backtest")


def _keep(picture: Path, name: str, *change: str) -> None:
    """Put a picture into the documents, in few colours, so that it is small."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    kept = FOLDER / f"{name}.png"
    subprocess.run(
        ["convert", str(picture), *change, "+dither", "-colors", str(COLOURS), "-strip", f"png8:{kept}"], check=True
    )
    if kept.stat().st_size > MOST_BYTES:
        raise SystemExit(f"{kept} has {kept.stat().st_size:,} bytes, more than {MOST_BYTES:,}: use fewer colours")
    print(f"{kept}: {kept.stat().st_size:,} bytes")


if __name__ == "__main__":
    missing = missing_programs()
    if missing:
        raise SystemExit(missing)
    take(float(sys.argv[1]) if len(sys.argv) > 1 else 1.5)
