"""The backtest of a desktop: what is asked for, how far it is, what was found. Kept by the desk, so that it outlives its panel."""

import shutil
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
from PySide6.QtCore import QCoreApplication, QObject, Signal

from foxtrot.app.desktop_requests import ParameterForm
from foxtrot.backtest.details import BacktestDetails, read_details
from foxtrot.gui.aside import Aside
from foxtrot.gui.backtest_process import VerbProcess
from foxtrot.gui.desk import Desk
from foxtrot.gui.panel import State

DETAILS: Final = "details.json"
Json = dict[str, Any]


class KnownStrategy(msgspec.Struct, frozen=True):
    """A strategy that can be tested: by which name it is loaded, what it does, its parameters; `error` says why it cannot be."""

    name: str
    source: str = ""
    description: str = ""
    parameters: tuple[ParameterForm, ...] = ()
    error: str = ""


class BacktestRun(QObject):
    """Runs backtests and searches, one at a time.

    `changed` comes when one began or ended, `progressed` and `said` in between, `listed` when it is known which strategies there are.

    Thread: the desktop's.

    Args:
        desk: whose it is.
        process: makes what runs verbs.
    """

    changed = Signal()
    progressed = Signal(int, int)
    said = Signal(str)
    listed = Signal()

    def __init__(self, desk: Desk, process: Callable[[QObject], VerbProcess] = VerbProcess) -> None:
        super().__init__(desk)
        self._desk = desk
        self._aside = Aside(self)
        self._folder: Path | None = None
        self.process = process(self)
        self.lister = process(self)
        self.form: State = {}
        """What stands in the form, so that it is found again."""
        self.strategies: dict[str, KnownStrategy] = {}
        self.verb = ""
        """What was run last: backtest or optimise."""
        self.result: Json | None = None
        self.details: BacktestDetails | None = None
        self.error = ""
        self.process.progressed.connect(self.progressed)
        self.process.said.connect(self.said)
        self.process.ended.connect(self._hear_end)
        self.lister.ended.connect(self._hear_list)
        application = QCoreApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self._clean)

    @classmethod
    def of(cls, desk: Desk) -> "BacktestRun":
        """Return that of a desk, which is made where there is none yet."""
        return desk.the(cls)

    @property
    def running(self) -> bool:
        """Tell whether something runs, or what it found is being read."""
        return self.process.running or bool(self._aside.running)

    @property
    def report(self) -> Path | None:
        """Return the page of the last backtest, None where there is none."""
        found = (self.result or {}).get("report")
        return Path(found) if isinstance(found, str) else None

    def list_strategies(self, folder: str = "") -> None:
        """Ask which strategies there are, those in a folder too."""
        self.lister.start(["strategies", *(["--folder", folder] if folder else [])], self._desk.home)

    def start(self, verb: str, arguments: Sequence[str]) -> None:
        """Run a backtest or a search; while one runs, nothing is begun.

        Blocks: for the disk, to throw away the two files of the run before.
        """
        if self.running:
            return
        self._clean()
        self.verb, self.result, self.details, self.error = verb, None, None, ""
        own = ["--progress-lines"]
        if verb == "backtest":
            self._folder = Path(tempfile.mkdtemp(prefix="foxtrot-backtest-"))
            own += ["--out", str(self._folder), "--details", str(self._folder / DETAILS)]
        self.process.start([verb, *arguments, *own], self._desk.home)
        self.changed.emit()

    def cancel(self) -> None:
        """End what runs."""
        self.process.cancel()

    def end(self) -> None:
        """End everything now, for the desktop ends."""
        self.process.end()
        self.lister.end()
        self._clean()

    # --- inside -----------------------------------------------------------------------------------------------------

    def _hear_end(self, found: Json | None, error: str) -> None:
        self.error = error
        if found is None or self.verb != "backtest" or self._folder is None:
            self.result = found
            self.changed.emit()
            return
        path = self._folder / DETAILS
        self._aside.run(lambda: read_details(path.read_bytes()), lambda details, why: self._take(found, details, why))

    def _take(self, found: Json, details: BacktestDetails | None, error: str) -> None:
        self.result, self.details, self.error = found, details, error
        self.changed.emit()

    def _hear_list(self, found: Json | None, error: str) -> None:
        if found is not None:
            for entry in found.get("strategies", ()):
                known = _known(entry)
                self.strategies[known.name] = known
        elif error:
            self.said.emit(error)
        self.listed.emit()

    def _clean(self) -> None:
        """Throw away the files of the last run."""
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None


def _known(entry: Json) -> KnownStrategy:
    """Return a strategy as it was listed; one that is a file is named by its path."""
    source = str(entry.get("source", ""))
    name = source if source.endswith(".py") else str(entry.get("name", ""))
    parameters = tuple(
        ParameterForm(one["name"], one["type"], one["default"], one["minimum"], one["maximum"], one["description"])
        for one in entry.get("parameters", ())
    )
    return KnownStrategy(name, source, str(entry.get("description", "")), parameters, str(entry.get("error", "")))
