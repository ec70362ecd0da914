"""Market depth: rows by real messages, applied as a client does, are the venue's book; and what is refused."""

import random

import pytest

from foxtrot.domain.enums import Side
from foxtrot.exchange.commands import SetTradingState, TradingState
from foxtrot.exchange.wire.ib.surface_settings import IbSettings
from tests.support.ib_quote_rig import AAPL, APPLE, APPLE_DIRECT, ES, EURO, INDEX, QuoteClient, QuoteRig, error_of

Rows = dict[str, list[tuple[float, int]]]


def depth(
    client: QuoteClient, contract: tuple[object, ...] = APPLE, *, smart: int = 1, rows: int = 5, request_id: int = 6
) -> list[list[str]]:
    return client.ask(10, 5, request_id, *contract, rows, smart, "")


def applied(rows: Rows, told: list[list[str]]) -> None:
    """Apply rows of both kinds as TWS's documentation says."""
    for fields in told:
        if fields[0] == "4":
            assert fields[3] == "317"
            rows["0"].clear()
            rows["1"].clear()
            continue
        at, *maker, operation, side, price, size = fields[3:-1] if fields[0] == "13" else fields[3:]
        assert bool(maker) == (fields[0] == "13")
        held, position, row = rows[side], int(at), (float(price), int(size))
        if operation == "0":
            assert position <= len(held)
            held.insert(position, row)
        elif operation == "1":
            held[position] = row
        else:
            del held[position]


def book(rig: QuoteRig, levels: int, name: str = AAPL) -> Rows:
    instrument = rig.instrument(name)
    _, bids, asks = rig.venue.depth(name, levels)
    return {
        side: [(instrument.price(price), quantity) for price, quantity in rows]
        for side, rows in (("1", bids), ("0", asks))
    }


@pytest.mark.parametrize("rows", [1, 3, 10])
@pytest.mark.parametrize("seed", [1, 2])
def test_a_client_that_applies_the_rows_has_the_book(seed: int, rows: int) -> None:
    rig, dice = QuoteRig(), random.Random(seed)
    client, seen = rig.client(), Rows({"0": [], "1": []})
    applied(seen, depth(client, rows=rows))
    for turn in range(300):
        resting = [order.order_id for order in rig.venue.open_orders("alice", AAPL)]
        if resting and dice.random() < 0.4:
            rig.cancel(dice.choice(resting))
        else:
            side = dice.choice((Side.BUY, Side.SELL))
            price = 20_000 + dice.randint(-12, 3) * (1 if side is Side.BUY else -1)
            rig.rest(side, f"{price / 100:.2f}", dice.randint(1, 9))
        client.is_slow = dice.random() < 0.2
        if turn % 10 == 0:
            client.is_slow = False
            rig.wait(0.01)
        applied(seen, client.take())
        if not client.is_slow and turn % 10 == 0:
            assert seen == book(rig, rows)


def test_a_slow_client_is_told_how_to_get_to_the_newest_book() -> None:
    rig = QuoteRig()
    rig.rest(Side.BUY, "200", 7)
    client = rig.client()
    depth(client)
    client.is_slow = True
    for cent in range(50):
        rig.rest(Side.BUY, f"200.{cent:02}", 1)
    rig.wait(0.01)
    assert client.take() == []
    client.is_slow = False
    rig.wait(0.01)
    rows = [fields[3:4] + fields[5:9] for fields in client.take()]
    assert rows[-1] == ["4", "0", "1", "200.45", "1"]
    assert len(rows) == 5


def test_smart_rows_name_a_maker_and_say_that_they_are_smart() -> None:
    rig = QuoteRig()
    rig.rest(Side.BUY, "200", 7)
    rig.rest(Side.SELL, "201", 8)
    assert depth(rig.client()) == [
        ["13", "1", "6", "0", "NASDAQ", "0", "1", "200.0", "7", "1"],
        ["13", "1", "6", "0", "NASDAQ", "0", "0", "201.0", "8", "1"],
    ]


def test_a_market_maker_exchange_names_makers_without_being_smart() -> None:
    rig = QuoteRig()
    rig.rest(Side.BUY, "200", 7)
    assert depth(rig.client(), APPLE_DIRECT, smart=0) == [["13", "1", "6", "0", "NASDAQ", "0", "1", "200.0", "7", "0"]]


def test_other_exchanges_name_nobody() -> None:
    rig = QuoteRig()
    rig.rest(Side.BUY, "6000", 2, name=ES)
    client = rig.client()
    assert depth(client, INDEX, smart=0) == [["12", "1", "6", "0", "0", "1", "6000.0", "2"]]
    rig.rest(Side.BUY, "6000", 1, name=ES)
    assert client.take() == [["12", "1", "6", "0", "1", "1", "6000.0", "3"]]


def test_what_is_refused() -> None:
    rig = QuoteRig()
    client = rig.client()
    assert error_of(depth(client, INDEX, smart=1)) == (6, 10092)
    assert error_of(depth(client, rows=0)) == (6, 321)
    assert error_of(depth(client, (0, "NONE", *APPLE[2:]))) == (6, 200)
    assert error_of(client.ask(11, 1, 6, 1)) == (6, 310)
    for request_id in (6, 7, 8):
        assert depth(client, request_id=request_id) == []
    assert error_of(depth(client, request_id=8)) == (8, 322)
    assert error_of(depth(client, request_id=9)) == (9, 309)
    assert client.ask(11, 1, 8, 1) == []
    assert depth(client, EURO, smart=0, request_id=9) == []


def test_books_of_all_clients_count_together_unless_limits_are_off() -> None:
    rig = QuoteRig(settings=IbSettings(depth_lines=1))
    first, second = rig.client(), rig.client()
    depth(first)
    assert error_of(depth(second)) == (6, 309)
    rig.gateway.closed(first.link)
    assert depth(second) == []
    free = QuoteRig(settings=IbSettings(depth_lines=1, limits=False)).client()
    assert depth(free) == []
    assert depth(free, request_id=7) == []


def test_without_a_subscription_there_is_no_depth() -> None:
    client = QuoteRig(settings=IbSettings(has_quotes=False)).client()
    assert error_of(depth(client)) == (6, 354)


def test_a_market_that_trades_again_after_a_halt_begins_anew() -> None:
    rig = QuoteRig()
    rig.rest(Side.BUY, "200", 7)
    client = rig.client()
    depth(client)
    rig.execute(SetTradingState(rig.now_ns, AAPL, TradingState.HALTED))
    assert client.take() == []
    rig.execute(SetTradingState(rig.now_ns, AAPL, TradingState.TRADING))
    reset, row = client.take()
    assert reset[:4] == ["4", "2", "6", "317"]
    assert row == ["13", "1", "6", "0", "NASDAQ", "0", "1", "200.0", "7", "1"]


def test_a_venue_that_goes_back_to_an_earlier_state_begins_anew() -> None:
    rig = QuoteRig()
    rig.rest(Side.BUY, "200", 7)
    snapshot = rig.venue.snapshot()
    rig.rest(Side.BUY, "201", 8)
    client, seen = rig.client(), Rows({"0": [], "1": []})
    applied(seen, depth(client))
    rig.venue.take_up(snapshot)
    rig.wait(0.01)
    told = client.take()
    assert [fields[3] for fields in told if fields[0] == "4"] == ["317"]
    applied(seen, told)
    assert seen == book(rig, 5)


def test_rows_that_were_missed_while_the_link_was_lost_come_after_it() -> None:
    rig = QuoteRig()
    client, seen = rig.client(), Rows({"0": [], "1": []})
    applied(seen, depth(client))
    rig.gateway.connectivity.set_upstream(is_up=False)
    client.take()
    rig.rest(Side.BUY, "200", 7)
    rig.wait(1)
    assert client.take() == []
    rig.gateway.connectivity.set_upstream(is_up=True, code=1102)
    client.take()
    rig.wait(0.01)
    applied(seen, client.take())
    assert seen == book(rig, 5) != {"0": [], "1": []}


def test_the_exchanges_that_have_books() -> None:
    (told,) = QuoteRig().client().ask(82)
    count, rows = int(told[1]), told[2:]
    assert len(rows) == 5 * count
    found = {rows[n]: rows[n + 1 : n + 5] for n in range(0, len(rows), 5)}
    assert found["NASDAQ"] == ["STK", "", "Deep2", "2147483647"]
    assert found["CME"] == ["FUT", "", "Deep", "2147483647"]
    assert set(found) == {"NASDAQ", "SEHK", "CME", "IDEALPRO", "OPRA"}
