"""One accepted connection of TWS's protocol."""

from collections.abc import Callable
from typing import Final

from foxtrot.exchange.serving.framed_socket import FramedSocket
from foxtrot.exchange.wire.ib.connection import IbClient
from foxtrot.exchange.wire.ib.frame import FrameReader, encode_frame

BURST: Final = 4096
"""What ibapi reads at once; it forgets the last read of so many bytes where a second of silence follows."""
_PADDING_ID: Final = "9999"
_EMPTY_PADDING: Final = len(encode_frame((_PADDING_ID, "")))


class IbSocket(FramedSocket[IbClient, bytes]):
    """A client's connection; its messages are bodies.

    Thread: exchange-io.
    """

    product = "ib"
    answers_once = False

    def put_burst(self, data: bytes) -> None:
        """Send a message in one write of a multiple of 4096 bytes, filled up with a message that clients do not know."""
        missing = -len(data) % BURST
        if 0 < missing < _EMPTY_PADDING:
            missing += BURST
        filling = encode_frame((_PADDING_ID, "0" * (missing - _EMPTY_PADDING))) if missing else b""
        self.outlet.flush()
        self.put(data + filling)
        self.outlet.flush()

    def put_split(self, data: bytes, later: Callable[[Callable[[], None]], None]) -> None:
        """Send a message in two segments; `later` is told what is to happen after a pause."""
        middle = max(1, len(data) // 2)
        self.put(data[:middle])
        self.outlet.flush()
        later(lambda: self.put(data[middle:]))

    def _new_reader(self) -> FrameReader:
        return FrameReader()
