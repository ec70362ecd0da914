"""A TWS in a process of its own that sends as many rows of depth as it is asked for, made before it begins.

It prints its port, and reads lines "depth COUNT" from its input. After each it prints "ready" when the frames are made, waits for "go", and
sends them to the client that connected last. Until the next line it then tells its time again and again: ibapi's own reader throws away what
stays at the end of a read of exactly 4,096 bytes. It ends with its input.
"""

import select
import sys

from tests.support.ib_raw_server import IbRawServer, RawClient, frame

DEPTH, DEPTH_ROW, DETAILS, DETAILS_END, TIME = "10", 12, 10, 52, 49
AT_ONCE = 64
LEVELS = 10
INSERT, UPDATE, ASK, BID = 0, 1, 0, 1
AAPL = (
    "AAPL", "STK", "", "0", "", "NASDAQ", "USD", "AAPL", "NMS", "NMS", 265598, "0.01", 1, "", "LMT,MKT", "NASDAQ", 1, 0, "APPLE INC",
    "NASDAQ", "", "", "", "", "US/Eastern", "", "", "", "", 0, "", "", "", "", "", "COMMON",
)  # fmt: skip
"""The fields of contract details after the request's id, at version 157."""


class Flood(IbRawServer):
    """Answers for the contract, takes subscriptions of depth, and sends rows."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: dict[RawClient, str] = {}
        self.on_message = self._hear

    def frames(self, count: int) -> list[bytes]:
        """Make the rows; the last one is told by its size, which is `count`."""
        request_id = self.asked[self.clients[-1]]
        return [
            frame(DEPTH_ROW, 1, request_id, place, UPDATE, side, _price(place, side), number)
            for number in range(1, count + 1)
            for side, place in [(BID, 0) if number == count else (number % 2, number // 2 % LEVELS)]
        ]

    def send(self, frames: list[bytes]) -> None:
        """Send frames to the client that connected last."""
        client = self.clients[-1]
        for start in range(0, len(frames), AT_ONCE):
            client.send(b"".join(frames[start : start + AT_ONCE]))

    def _hear(self, client: RawClient, fields: list[str]) -> None:
        if fields[0] == "9":
            client.send(frame(DETAILS, 8, fields[2], *AAPL) + frame(DETAILS_END, 1, fields[2]))
        elif fields[0] == DEPTH:
            self.asked[client] = fields[2]
            rows = [(place, side) for place in range(LEVELS) for side in (BID, ASK)]
            client.send(
                b"".join(
                    frame(DEPTH_ROW, 1, fields[2], place, INSERT, side, _price(place, side), 1) for place, side in rows
                )
            )


def _price(place: int, side: int) -> str:
    return f"{200.01 + place / 100:.2f}" if side == ASK else f"{199.99 - place / 100:.2f}"


def main() -> None:
    """Serve until the input ends."""
    flood = Flood()
    flood.start()
    print(flood.port, flush=True)
    while True:
        while not select.select([sys.stdin], [], [], 0.02)[0]:
            for client in flood.asked:
                client.tell(TIME, 1, 1_795_000_000)
        line = sys.stdin.readline()
        if not line:
            break
        frames = flood.frames(int(line.split()[1]))
        print("ready", flush=True)
        if not sys.stdin.readline():
            break
        flood.send(frames)
    flood.stop()


if __name__ == "__main__":
    main()
