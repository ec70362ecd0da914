"""The log: loguru, configured once. Who logs puts a line into a bounded queue; thread foxtrot-log writes it.

Anywhere: `from loguru import logger; logger.bind(strategy_id=…, order_id=…).info("…")`. Bound values are shown in the line.
"""

import contextlib
import logging
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import msgspec
from loguru import logger

from foxtrot.app.log_file import LogFile
from foxtrot.app.log_queue import LogLine, LogQueue
from foxtrot.core.redactor import KNOWN, Redactor

if TYPE_CHECKING:
    from loguru import Message

CAPACITY = 10_000
WARNING = 30
THREAD = "foxtrot-log"


class LogStream(Protocol):
    """Where lines go: a terminal, a pipe, a file."""

    def write(self, text: str, /) -> object:
        """Take some lines."""

    def flush(self) -> object:
        """Hand them on."""


class LogEnd(msgspec.Struct, frozen=True):
    """How the log ended: the thread that overran its deadline ("" for none), lines left unwritten, lines dropped before."""

    overran: str
    unwritten: int
    dropped: int


class LogWriter:
    """Owns the queue and the thread; made by start_logging.

    Thread: `sink` any; `stop` the one that started it; `_run` is foxtrot-log.
    """

    def __init__(self, stream: LogStream, file: LogFile | None, redactor: Redactor, capacity: int) -> None:
        self.queue = LogQueue(capacity)
        self.redactor = redactor
        self.failures = 0
        self._stream = stream
        self._file = file
        self._reported = 0
        self._handler_id: int | None = None
        self._bridge = _StandardBridge()
        self._thread = threading.Thread(target=self._run, name=THREAD, daemon=True)

    def start(self, level: str) -> None:
        """Become loguru's only sink and start the thread."""
        logger.remove()
        self._handler_id = logger.add(
            self.sink, level=level, format="{message}\n{exception}", colorize=False, backtrace=False, diagnose=False
        )
        logging.getLogger().addHandler(self._bridge)
        self._thread.start()

    def sink(self, message: "Message") -> None:
        """Queue a line; never blocks."""
        record = message.record
        level = record["level"]
        self.queue.put(
            LogLine(record["time"], level.name, record["extra"], str(message)), important=level.no >= WARNING
        )

    def stop(self, deadline_s: float = 2.0) -> LogEnd:
        """Write what waits and end the thread; calling it again changes nothing.

        Blocks: at most `deadline_s`.
        """
        if self._handler_id is not None:
            logging.getLogger().removeHandler(self._bridge)
            with contextlib.suppress(ValueError):  # somebody configured loguru anew; what waits is still ours to write
                logger.remove(self._handler_id)
            self._handler_id = None
        self.queue.close()
        self._thread.join(deadline_s)
        overran = THREAD if self._thread.is_alive() else ""
        return LogEnd(overran, len(self.queue), self.queue.dropped)

    def _run(self) -> None:
        while lines := self.queue.take():
            text = "".join(line.render() for line in lines)
            dropped = self.queue.dropped
            if dropped > self._reported:
                text += f"{dropped - self._reported} lines of DEBUG and INFO were dropped: the log is slower than the platform\n"
                self._reported = dropped
            self._write(self.redactor.redact(text))
        if self._file is not None:
            self._file.close()

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):  # a closed pipe or a full disk must not end the log of the other sink
            self.failures += 1
        try:
            if self._file is not None:
                self._file.write(text)
        except OSError:
            self.failures += 1


class _StandardBridge(logging.Handler):
    """Hands lines of the standard library's logging, which SDKs and asyncio use, to loguru.

    Thread: any.
    """

    def emit(self, record: logging.LogRecord) -> None:
        """Log a record under the name of its logger."""
        text = record.getMessage()
        level: str | int = record.levelname if record.levelname in _LEVELS else record.levelno
        logger.bind(logger=record.name).opt(exception=record.exc_info).log(level, "{}", text)


_LEVELS = frozenset({"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"})


def start_logging(
    level: str = "INFO",
    file: Path | None = None,
    *,
    stream: LogStream | None = None,
    redactor: Redactor | None = None,
    capacity: int = CAPACITY,
) -> LogWriter:
    """Configure loguru and start thread foxtrot-log; the caller stops the writer it gets.

    Args:
        level: least severe level written.
        file: a file beside the stream, rotated at 10 MB.
        stream: stderr by default.
        redactor: the secrets to mask; those that this process knows by default.
        capacity: lines of DEBUG and INFO that may wait.

    Raises:
        ConfigError: the file cannot be written.
    """
    log_file = LogFile(file) if file is not None else None
    writer = LogWriter(stream or sys.stderr, log_file, redactor or KNOWN, capacity)
    writer.start(level)
    return writer
