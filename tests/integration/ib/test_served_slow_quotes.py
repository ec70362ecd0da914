"""A client that reads slowly gets the newest ticks and rows once it has caught up, not every one that it missed."""

from contextlib import closing

from foxtrot.domain.enums import Side
from foxtrot.exchange.serving.ib_socket import IbSocket
from foxtrot.exchange.wire.ib.frame import encode_frame
from tests.support.ib_served_market import ServedMarket, served_market
from tests.support.ib_served_rig import RawIb, stock_fields
from tests.support.waiting import wait_until

CHANGES = 100
UNKNOWN = "9999"


def the_socket(market: ServedMarket) -> IbSocket:
    """The one connection there is."""
    (one,) = market.server.call(lambda server: server._doors.ib_sockets())
    return one


def until_slow(market: ServedMarket, one: IbSocket) -> None:
    """Send what clients ignore until the client, which does not read, has no room for more."""
    filling = encode_frame((UNKNOWN, "0" * 400_000))

    def fill() -> bool:
        market.server.call(lambda _: one.put(filling))
        return market.server.call(lambda _: one._is_slow)

    wait_until(fill)


def rows_of(told: list[list[str]]) -> list[tuple[float, int]]:
    """Apply the rows of the bids."""
    held: list[tuple[float, int]] = []
    for fields in told:
        at, operation, row = int(fields[3]), fields[5], (float(fields[7]), int(fields[8]))
        if operation == "0":
            held.insert(at, row)
        elif operation == "1":
            held[at] = row
        else:
            del held[at]
    return held


def test_a_slow_client_catches_up_with_the_newest() -> None:
    with served_market() as market, closing(RawIb(market.port, receive_bytes=4096)) as client:
        client.start()
        client.send(1, 11, 5, *stock_fields(), 0, "", 0, 0, "")
        client.send(10, 5, 6, *stock_fields(), 5, 1, "")
        client.read_until(45)
        one = the_socket(market)
        until_slow(market, one)
        waiting = market.server.call(lambda _: one.waiting_bytes)
        for n in range(CHANGES):
            market.rest(Side.BUY, f"{190 + n / 100:.2f}", 1)
        assert market.server.call(lambda _: one.waiting_bytes) == waiting
        market.wait(1)
        newest = (
            ["13", "1", "6", "4", "NASDAQ", "0", "1", "190.95", "1", "1"],
            ["1", "6", "5", "1", "190.99", "1", "0"],
        )
        while not all(one in client.heard for one in newest):
            client.read()
        rows = [fields for fields in client.heard if fields[0] == "13"]
        assert len(rows) == 5
        assert rows_of(rows) == market.book(5)[0]
        best = [fields[4] for fields in client.heard if fields[0] == "1" and fields[3] == "1"]
        assert best == ["-1.0", "190.99"]
