"""ibapi's client with a message loop that survives what it cannot read, over our own socket.

ibapi's own classes are left as they are, for whoever else in the process uses them.

Source: seen with ibapi 9.81 and 10.46 (client.py): an exception in a callback or of the decoder ends the loop and the connection, and a
    message that is too short ends in a TypeError of its own.
"""

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, Final

from foxtrot.adapter.ib.connection import SafeConnection
from foxtrot.adapter.ib.errors import VENUE
from foxtrot.domain.errors import BadMessage

BadMessageHeard = Callable[[bytes, Exception], None]
"""Hears a message that cannot be read, and why; called on ib-run."""
reading: Final = threading.local()
"""Has on each ib-run, as `client`, the client whose messages are read there, for what ibapi only logs about them."""
SHOWN: Final = 200
"""How many bytes of a bad message are shown."""


class SafeClient:
    """What is put before ibapi's class of client.

    Thread: requests ib-send; `run` ib-run; `drop` any.

    Args:
        wrapper: hears the callbacks.
        on_bad: hears what cannot be read.
    """

    decoder: Any
    wrapper: Any
    msg_queue: Any

    takes_id: bool = False
    """Whether ibapi's decoder is given the message's id apart, as later versions do."""

    def __init__(self, wrapper: Any, on_bad: BadMessageHeard) -> None:
        self.dialled: SafeConnection | None = None
        """The connection, also when ibapi has forgotten it."""
        self._conn: SafeConnection | None = None
        self._on_bad = on_bad
        self._message = b""
        super().__init__(wrapper)  # type: ignore[call-arg]  # ibapi's, the next in line
        self.msg_queue = SimpleQueue()

    @property
    def conn(self) -> SafeConnection | None:
        """Return the connection as ibapi knows it."""
        return self._conn

    @conn.setter
    def conn(self, made: Any) -> None:
        """Take ibapi's connection, which it has just made, for one of ours to the same place; None is none any more."""
        self._conn = None if made is None else SafeConnection(made.host, made.port)
        if self._conn is not None:
            self.dialled = self._conn
            self._conn.on_closed = lambda: self.msg_queue.put(None)

    def run(self) -> None:
        """Hand every message to the callbacks until the connection is closed; one that cannot be read costs itself alone.

        Blocks: as long as the connection stands.
        """
        reading.client = self
        try:
            while (message := self.msg_queue.get()) is not None:
                self._message = message
                try:
                    self._interpret(message)
                except Exception as error:  # whatever the decoder raises for what it cannot read
                    self._on_bad(message, error)
        finally:
            self.drop("the message loop has ended")

    def note_bad(self, text: str) -> None:
        """Note that ibapi has left out the message that it is reading, which it only logs."""
        self._on_bad(self._message, BadMessage(VENUE, "fields", text))

    def drop(self, cause: str) -> None:
        """Close the connection; ibapi's own `disconnect` forgets it while others use it."""
        if self.dialled is not None:
            self.dialled.disconnect(cause)

    def _interpret(self, message: bytes) -> None:
        fields = message.split(b"\0")
        if fields.pop() or not fields:
            raise BadMessage(VENUE, "fields", "it has no field, or its last is not ended")
        if self.takes_id:
            self.decoder.interpret(tuple(fields[1:]), int(fields[0]))
        else:
            self.decoder.interpret(tuple(fields))


def shown(message: bytes) -> str:
    """Return the beginning of a message as text, its fields parted by `|`."""
    text = message[:SHOWN].replace(b"\0", b"|").decode("ascii", "backslashreplace")
    return text if len(message) <= SHOWN else f"{text}…"
