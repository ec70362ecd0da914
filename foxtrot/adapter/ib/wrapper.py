"""What hears ibapi: one object with every callback of every version, which never lets an exception out.

Source: seen with ibapi 9.81 and 10.46 (wrapper.py): an exception in a callback ends the message loop and with it the connection.
"""

import threading
from collections.abc import Callable
from typing import Any, Final

from loguru import logger

from foxtrot.adapter.ib.errors import IbError

Heard = Callable[[str, tuple[Any, ...]], None]
"""Hears a callback by name, with its arguments, on ib-run."""
Handler = Callable[..., None]
ERROR: Final = "error"
SAME: Final = {"commissionAndFeesReport": "commissionReport"}
"""Callbacks that later versions call otherwise; they are heard by their old name."""
UNHEARD: Final = frozenset({"logAnswer", "connectAck", "connectionClosed", "winError"})
"""What ibapi says about itself, of which the connection tells more."""


class IbWrapper:
    """Hears every callback: those that somebody listens to on ib-run go there at once, all others to `hear`.

    Thread: ib-run; `error` also on ib-send and ib-dial, for what ibapi itself refuses; `listen` any.

    Args:
        hear: hears name and arguments; of errors of any shape it hears `error` with one IbError.
    """

    def __init__(self, hear: Heard) -> None:
        self.deaf = False
        """Whether nothing is heard any more: ibapi hands over what is in its queue even after the connection is closed."""
        self._hear = hear
        self._failures: set[tuple[str, str]] = set()
        self._caught = threading.local()
        super().__init__()

    def listen(self, name: str, handler: Handler) -> None:
        """Let somebody hear a callback on ib-run, in place of `hear`."""
        setattr(self, name, self._guarded(name, handler))

    def catch_errors(self) -> list[IbError]:
        """Let errors that ibapi tells on the calling thread be kept in a list, which is returned, until `release_errors`."""
        found: list[IbError] = []
        self._caught.errors = found
        return found

    def release_errors(self) -> None:
        """Keep errors of the calling thread no more."""
        self._caught.errors = None

    def error(self, request_id: int, *arguments: Any) -> None:
        """Hear an error of any shape: (code, text), (code, text, more) or (time, code, text, more)."""
        found = _error_of(request_id, arguments)
        caught: list[IbError] | None = getattr(self._caught, "errors", None)
        if caught is not None:
            caught.append(found)
        else:
            self.tell(ERROR, (found,))

    def tell(self, name: str, arguments: tuple[Any, ...]) -> None:
        """Hear a callback."""
        if not self.deaf:
            try:
                self._hear(name, arguments)
            except Exception as error:  # a fault of ours must not end the message loop
                self._note(name, error)

    def _guarded(self, name: str, handler: Handler) -> Handler:
        def call(*arguments: Any) -> None:
            if not self.deaf:
                try:
                    handler(*arguments)
                except Exception as error:  # a fault of ours must not end the message loop
                    self._note(name, error)

        return call

    def _note(self, name: str, error: Exception) -> None:
        """Log a failure, the first of each kind."""
        kind = (name, type(error).__name__)
        if kind not in self._failures:
            self._failures.add(kind)
            logger.opt(exception=error).error("BadMessage: hearing {} of IB failed, told once: {!r}", name, error)


def _error_of(request_id: int, arguments: tuple[Any, ...]) -> IbError:
    """Return an error of any shape. Source: seen with ibapi 9.81 and 10.46 (wrapper.py)."""
    timed = len(arguments) >= 3 and isinstance(arguments[1], int)
    code, text = (arguments[1], arguments[2]) if timed else (arguments[0], arguments[1])
    return IbError(int(request_id), int(code), " ".join(str(text).split()))


def wrapper_class(base: Any) -> Any:
    """Return the class with all callbacks of ibapi's own, whatever its version."""
    names = [name for name in dir(base) if not name.startswith("_") and callable(getattr(base, name))]
    callbacks = {name: _callback(name) for name in names if name not in UNHEARD | {ERROR}}
    callbacks |= dict.fromkeys(UNHEARD, _ignored)
    return type("FoxtrotWrapper", (IbWrapper, base), callbacks)


def _callback(name: str) -> Handler:
    heard_as = SAME.get(name, name)

    def hear(wrapper: IbWrapper, *arguments: Any, **named: Any) -> None:
        wrapper.tell(heard_as, (*arguments, *named.values()))

    hear.__name__ = name
    return hear


def _ignored(_wrapper: IbWrapper, *_arguments: Any) -> None:
    """Hear nothing of what ibapi says about itself."""
