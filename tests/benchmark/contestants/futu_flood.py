"""A FutuOpenD in a process of its own that sends as many pushes as it is asked for, made before it begins.

It prints its port, and reads lines "KIND COUNT" from its input: ticker or book. After each it prints "ready" when the frames are
made, waits for "go", and sends them to every connection that has subscribed. It ends with its input.
"""

import asyncio
import sys
from typing import Any

from tests.support import futu_stand_in
from tests.support.futu_frames import HK, order_book, ten_levels, ticker
from tests.support.futu_sdk import import_futu
from tests.support.futu_stand_in import FutuStandIn

SUB, BOOK, TICKER_PUSH, BOOK_PUSH = 3001, 3012, 3011, 3013
AT_ONCE = 64


class Flood(FutuStandIn):
    """Takes subscriptions, and sends frames."""

    def __init__(self) -> None:
        super().__init__()
        self.subscribed: set[int] = set()

    def frames(self, kind: str, count: int) -> list[bytes]:
        """Make the frames; the last one is told by its sequence, or by the size of its best bid, which is `count`."""
        make = _ticker if kind == "ticker" else _book
        proto_id = TICKER_PUSH if kind == "ticker" else BOOK_PUSH
        return [self._frame(proto_id, number, make(number)) for number in range(1, count + 1)]

    def send(self, frames: list[bytes]) -> None:
        """Send frames to all who have subscribed."""
        self._bridge.submit(self._send(frames)).result(120.0)

    async def _send(self, frames: list[bytes]) -> None:
        writers = [writer for number, writer in self.connections.items() if number in self.subscribed]
        await asyncio.gather(*[_write(writer, frames) for writer in writers])


async def _write(writer: asyncio.StreamWriter, frames: list[bytes]) -> None:
    for start in range(0, len(frames), AT_ONCE):
        writer.write(b"".join(frames[start : start + AT_ONCE]))
        await writer.drain()


def _ticker(number: int) -> Any:
    return ticker(HK, {"sequence": number, "timestamp": 1773108005.12, "price": 400.0 + number % 20 / 5, "volume": 100})


def _book(number: int) -> Any:
    bids, asks = ten_levels(400.0 - number % 10 / 5, 400.2 + number % 10 / 5, 0.2)
    return order_book(
        HK, [(price, number) for price, _ in bids], asks, svrRecvTimeBid="2026-03-10 10:00:05",
        svrRecvTimeBidTimestamp=1773108005.118, svrRecvTimeAsk="2026-03-10 10:00:05",
        svrRecvTimeAskTimestamp=1773108005.119,
    )  # fmt: skip


def _subscribe(flood: Flood, number: int, _s2c: Any, _body: bytes) -> None:
    flood.subscribed.add(number)


def _present_book(_flood: Flood, _number: int, s2c: Any, _body: bytes) -> None:
    s2c.security.market, s2c.security.code = HK


def main() -> None:
    """Serve until the input ends."""
    import_futu()
    futu_stand_in.NAMES.update({SUB: "Qot_Sub", BOOK: "Qot_GetOrderBook"})
    futu_stand_in._FILL.update({SUB: _subscribe, BOOK: _present_book})
    flood = Flood()
    flood.start()
    print(flood.port, flush=True)
    for line in sys.stdin:
        kind, count = line.split()
        frames = flood.frames(kind, int(count))
        print("ready", flush=True)
        if not sys.stdin.readline():
            break
        flood.send(frames)
    flood.stop()


if __name__ == "__main__":
    main()
