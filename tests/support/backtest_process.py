"""A process that runs verbs without running any: what it was asked is kept, and the test tells what came of it."""

from pathlib import Path

from PySide6.QtCore import QObject, Signal

LISTED = {
    "strategies": [
        {
            "name": "double_ma", "source": "foxtrot.samples.double_ma:DoubleMa", "description": "Two averages that cross.",
            "parameters": [
                {"name": "fast", "type": "int", "default": 20, "minimum": 1, "maximum": None, "description": "closes"},
                {"name": "slow", "type": "int", "default": 50, "minimum": 2, "maximum": None, "description": "closes"},
            ],
        },
        {"name": "broken", "source": "/home/me/broken.py", "error": "no class of a strategy in broken.py"},
    ]
}  # fmt: skip
RESULT = {
    "strategy": "double_ma", "total_return": 0.0123, "max_drawdown": 0.05, "sharpe": None, "end_balance": 1_012_300.0, "trades": 2,
    "fees": 12.5, "elapsed_s": 0.4, "denied": {"max_order_value": 3}, "failures": [], "warnings": ["Zero latency: …"],
}  # fmt: skip


def a_search() -> dict[str, object]:
    """What a search over two parameters found, best first; one combination failed."""
    runs = [
        {"parameters": {"fast": fast, "slow": slow}, "trades": 4, "sharpe": sharpe, "total_return": sharpe / 100, "failures": failures}
        for fast, slow, sharpe, failures in ((10, 50, 1.5, []), (20, 50, 0.5, []), (10, 80, -0.5, []), (20, 80, 9.0, ["it raised"]))
    ]  # fmt: skip
    return {"count": 4, "by": "sharpe", "workers": 2, "elapsed_s": 2.0, "runs": runs}


class ScriptedProcess(QObject):
    """Stands in for a process that runs verbs."""

    progressed = Signal(int, int)
    said = Signal(str)
    ended = Signal(object, str)

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.running = False
        self.lines: list[str] = []
        self.asked: list[list[str]] = []
        self.homes: list[Path | None] = []
        self.cancels = 0

    def start(self, arguments: list[str], home: Path | None = None) -> None:
        self.running = True
        self.asked.append(arguments)
        self.homes.append(home)

    def cancel(self) -> None:
        self.cancels += 1

    def end(self) -> None:
        self.running = False

    def finish(self, found: object, error: str = "") -> None:
        """Let it end."""
        self.running = False
        self.ended.emit(found, error)
