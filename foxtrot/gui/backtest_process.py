"""A verb of the command line in a process of its own: how far it is, what it says, what it found. The desktop waits for nothing."""

import os
import sys
from collections import deque
from pathlib import Path
from typing import Any, Final

import msgspec
from PySide6.QtCore import QCoreApplication, QObject, QProcess, QProcessEnvironment, QTimer, Signal

import foxtrot
from foxtrot.gui.aside import Aside
from foxtrot.gui.texts import tr

MOST_SAID: Final = 500
"""Lines of what it said that are kept."""
KILL_MS: Final = 3_000
"""How long a process that was asked to end may take."""
END_MS: Final = 1_500
PROGRESS: Final = b'{"progress"'


class Progress(msgspec.Struct, frozen=True):
    """How far it is."""

    progress: str
    done: int
    total: int


class VerbProcess(QObject):
    """Runs one verb after the other, never two at once.

    `ended` comes with the object that the verb printed, or with None and why there is none.

    Thread: the desktop's; what was printed is read beside it.
    """

    progressed = Signal(int, int)
    said = Signal(str)
    ended = Signal(object, str)

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.lines: deque[str] = deque(maxlen=MOST_SAID)
        self._process: QProcess | None = None
        self._out = bytearray()
        self._rest = b""
        self._cancelled = False
        self._aside = Aside(self)
        self._patience = QTimer(self)
        self._patience.setSingleShot(True)
        self._patience.setInterval(KILL_MS)
        self._patience.timeout.connect(self._kill)
        application = QCoreApplication.instance()
        if application is not None:
            application.aboutToQuit.connect(self.end)

    @property
    def running(self) -> bool:
        """Tell whether it has not ended, or what it printed is still being read."""
        return self._process is not None or bool(self._aside.running)

    def start(self, arguments: list[str], home: Path | None = None) -> None:
        """Run a verb with its arguments; what is running already goes on, and nothing is begun."""
        if self.running:
            return
        self.lines.clear()
        self._out, self._rest, self._cancelled = bytearray(), b"", False
        process = self._process = QProcess(self)
        process.setProcessEnvironment(_environment())
        process.readyReadStandardOutput.connect(self._read_out)
        process.readyReadStandardError.connect(self._read_error)
        process.finished.connect(self._finish)
        process.errorOccurred.connect(self._fail)
        place = ["--home", str(home)] if home is not None else []
        process.start(sys.executable, ["-m", "foxtrot", *place, *arguments, "--json"])

    def cancel(self) -> None:
        """Ask it to end, and make it end when it takes too long."""
        if self._process is not None:
            self._cancelled = True
            self._process.terminate()
            self._patience.start()

    def end(self) -> None:
        """End it now, for the desktop ends.

        Blocks: until it is gone, two times 1.5 s at most.
        """
        process = self._process
        if process is None:
            return
        process.blockSignals(True)
        process.terminate()
        if not process.waitForFinished(END_MS):
            process.kill()
            process.waitForFinished(END_MS)
        self._forget()

    # --- inside -----------------------------------------------------------------------------------------------------

    def _read_out(self) -> None:
        if self._process is not None:
            self._out += self._process.readAllStandardOutput().data()

    def _read_error(self) -> None:
        if self._process is None:
            return
        *lines, self._rest = (self._rest + self._process.readAllStandardError().data()).split(b"\n")
        last: Progress | None = None
        for line in lines:
            if line.startswith(PROGRESS):
                last = _progress(line) or last
            elif line.strip():
                self._say(line.decode("utf-8", "replace"))
        if last is not None:
            self.progressed.emit(last.done, last.total)

    def _say(self, text: str) -> None:
        self.lines.append(text)
        self.said.emit(text)

    def _kill(self) -> None:
        if self._process is not None:
            self._process.kill()

    def _fail(self, error: QProcess.ProcessError) -> None:
        if error is QProcess.ProcessError.FailedToStart and self._process is not None:
            text = self._process.errorString()
            self._forget()
            self.ended.emit(None, tr("backtest.not_started", program=sys.executable, error=text))

    def _finish(self, status: int, how: QProcess.ExitStatus) -> None:
        self._read_out()
        self._read_error()
        out, cancelled = bytes(self._out), self._cancelled
        crashed = how is QProcess.ExitStatus.CrashExit
        self._forget()
        if cancelled:
            self.ended.emit(None, tr("backtest.cancelled"))
        elif crashed or not out.strip():
            said = "\n".join(list(self.lines)[-5:])
            self.ended.emit(None, f"{tr('backtest.died', status=status)}\n{said}".rstrip())
        else:
            self._aside.run(lambda: msgspec.json.decode(out), self._hear_found)

    def _hear_found(self, found: Any, error: str) -> None:
        if isinstance(found, dict) and isinstance(found.get("error"), dict):
            found, error = None, str(found["error"].get("message", found["error"]))
        self.ended.emit(found if isinstance(found, dict) else None, error)

    def _forget(self) -> None:
        self._patience.stop()
        if self._process is not None:
            self._process.deleteLater()
            self._process = None
        self._out = bytearray()


def _progress(line: bytes) -> Progress | None:
    try:
        return msgspec.json.decode(line, type=Progress)
    except msgspec.MsgspecError:
        return None


def _environment() -> QProcessEnvironment:
    """Return the environment of this process, in which the same code is found that runs here."""
    found = QProcessEnvironment.systemEnvironment()
    here = str(Path(foxtrot.__file__).resolve().parents[1])
    path = found.value("PYTHONPATH", "")
    found.insert("PYTHONPATH", os.pathsep.join(part for part in (here, path) if part))
    found.insert("PYTHONIOENCODING", "utf-8")
    return found
