"""The one place of the server that stops an error of our own from ending everybody's connections."""

import asyncio
from collections.abc import Callable

from loguru import logger

KEPT = 100


class Guard:
    """Runs what must not end the loop, and keeps what went wrong, each text once.

    Thread: exchange-io.
    """

    def __init__(self) -> None:
        self.failures: list[str] = []

    def run(self, what: str, work: Callable[[], object]) -> bool:
        """Do something; tell whether it went well. An error is logged and kept."""
        try:
            work()
        except Exception as error:  # the outermost loop of a connection or of the rounds
            self.note(what, error)
            return False
        return True

    def note(self, what: str, error: BaseException) -> None:
        """Keep an error of our own code."""
        text = f"{what}: {type(error).__name__}: {error}"
        if text not in self.failures and len(self.failures) < KEPT:
            self.failures.append(text)
            logger.opt(exception=error).error("exchange server: {}", text)

    def hear_loop(self, _loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        """Hear what the loop itself could not handle."""
        error = context.get("exception")
        if isinstance(error, Exception):
            self.note(str(context.get("message", "the loop")), error)
