"""A reader's callback: code of the program that reads, called on a thread of ours, which its errors must not end."""

from collections.abc import Callable
from typing import TypeVar

from loguru import logger

Value = TypeVar("Value")


def guarded(hear: Callable[[Value], None], reader: str, instrument_id: str) -> Callable[[Value], None]:
    """Return a callback whose errors are logged in one line, the first of each kind; the thread that calls it goes on.

    Args:
        hear: what the program gave.
        reader: by what it reads, for the log.
        instrument_id: what it reads.
    """
    seen: set[str] = set()

    def call(value: Value) -> None:
        try:
            hear(value)
        except Exception as error:  # whatever the reader's own code raises
            kind = type(error).__name__
            if kind not in seen:
                seen.add(kind)
                line = logger.bind(instrument=instrument_id)
                line.error("{}: a callback of {} failed, told once: {!r}", reader, instrument_id, error)

    return call
