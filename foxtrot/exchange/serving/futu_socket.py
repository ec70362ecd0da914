"""One accepted connection of FutuOpenD's protocol."""

from collections.abc import Callable
from typing import Self

from foxtrot.exchange.serving.framed_socket import FramedSocket
from foxtrot.exchange.wire.futu.connection import FutuClient
from foxtrot.exchange.wire.futu.frame import Frame, FrameReader


class FutuSocket(FramedSocket[FutuClient, Frame]):
    """A client's connection; it is one of quotes until it asks about trading.

    Thread: exchange-io.

    Args:
        hear: takes each frame.
        opened: makes the surface's side of it, once there is a transport.
        gone: hears that it has ended.
        limit: what may wait for it, in bytes; more closes it.
    """

    product = "futu"

    def __init__(
        self,
        hear: Callable[[Self, Frame], None],
        opened: Callable[[Self], FutuClient],
        gone: Callable[[Self], None],
        limit: int,
    ) -> None:
        super().__init__(hear, opened, gone, limit)
        self.kind = "quote"
        """quote, or trade from the first request about trading on."""

    def _new_reader(self) -> FrameReader:
        return FrameReader()
