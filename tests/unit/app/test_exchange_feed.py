"""A replayed market: the venue shows what was recorded, level by level and print by print, and others can trade against it."""

import gzip
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from foxtrot.app.exchange_feed import MAX_SPEED, MOST_COMMANDS, RecordedFeed, Recording
from foxtrot.app.recorded_market import MAKER, TAKER
from foxtrot.app.recording import read_recording
from foxtrot.app.verbs.history_arguments import HistoryFile
from foxtrot.backtest.columns import TradeColumns
from foxtrot.domain.enums import OrderType, Side
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.commands import AddInstrument, Deposit, OpenAccount, PlaceOrder
from foxtrot.exchange.events import OrderRejected, TradePrinted, VenueEvent
from foxtrot.exchange.listings import default_listings
from foxtrot.exchange.venue import Venue

LISTED = {one.instrument_id: one for one in default_listings() if one.venue.startswith("BINANCE")}
SPOT = "BTCUSDT.BINANCE"
SECOND_NS = 10**9
BARS = "open_time,open,high,low,close,volume\n1700000000000,100,110,90,105,4\n1700000060000,105,105,105,105,0\n"
TRADES = (
    "id,price,qty,quote_qty,time,is_buyer_maker\n"
    "1,100.00,0.5,50,1700000000000,false\n2,100.01,0.00001,0.001,1700000000500,false\n3,99.5,2,199,1700000001000,true\n"
)
CHANGE = (
    '{{"e":"depthUpdate","E":{ms},"s":"BTCUSDT","U":{first},"u":{last},"b":{bids},"a":{asks}}}'  # Binance's spot form
)


class Rig:
    """A venue that follows a recording, with one customer."""

    def __init__(self, recording: Recording, instrument: Instrument, speed: float = MAX_SPEED) -> None:
        self.events: list[VenueEvent] = []
        self.name = instrument.instrument_id
        self.instrument = instrument
        self.venue = Venue(self.events.append)
        self.feed = RecordedFeed(recording, instrument, speed)
        self.now_ns = SECOND_NS
        self.venue.execute(AddInstrument(self.now_ns, instrument, fees=None))
        self.venue.execute(OpenAccount(self.now_ns, "me"))
        for asset, amount in (("USDT", 10**6), ("BTC", 10)):
            self.venue.execute(Deposit(self.now_ns, "me", asset, Decimal(amount)))

    def round(self, after_s: float = 0.0) -> int:
        self.now_ns += int(after_s * SECOND_NS)
        commands = self.feed(self.now_ns)
        for command in commands:
            self.venue.execute(command)
        self.venue.validate()
        return len(commands)

    def run(self) -> None:
        while not self.feed.ended:
            self.round(0.01)

    @property
    def prints(self) -> list[tuple[float, float]]:
        return [
            (self.instrument.price(event.price), self.instrument.quantity(event.quantity))
            for event in self.events
            if isinstance(event, TradePrinted)
        ]

    @property
    def rejected(self) -> list[VenueEvent]:
        return [event for event in self.events if isinstance(event, OrderRejected)]

    def book(self, levels: int = 0) -> tuple[list[tuple[float, float]], list[tuple[float, float]]]:
        _, *sides = self.venue.depth(self.name, levels)
        bids, asks = (
            [(self.instrument.price(row[0]), self.instrument.quantity(row[1])) for row in side] for side in sides
        )
        return bids, asks

    def order(self, side: Side, price: float, size: float) -> None:
        one = self.instrument
        order = PlaceOrder(
            self.now_ns, "me", self.name, f"c{len(self.events)}", side, OrderType.LIMIT, one.quantity_units(size),
            one.price_units(price),
        )  # fmt: skip
        assert self.venue.execute(order).ok


def rig(tmp_path: Path, name: str, text: str, speed: float = MAX_SPEED, symbol: str = "") -> Rig:
    path = tmp_path / name
    path.write_bytes(gzip.compress(text.encode()) if name.endswith(".gz") else text.encode())
    return Rig(*read_recording(HistoryFile(symbol, path), LISTED), speed)


def test_every_trade_of_a_file_is_printed_as_it_was(tmp_path: Path) -> None:
    market = rig(tmp_path, "BTCUSDT-trades-2023-11.csv", TRADES)
    market.run()
    assert market.prints == [(100.0, 0.5), (100.01, 0.00001), (99.5, 2.0)]
    assert not market.rejected
    assert market.feed.counters == {"prints": 3, "book_changes": 3, "gaps": 0}
    bids, asks = market.book()
    assert (bids[0][0], asks[0][0], len(asks)) == (99.49, 99.51, 10)


def test_time_passes_at_the_speed_that_was_asked(tmp_path: Path) -> None:
    market = rig(tmp_path, "BTCUSDT-trades.csv", TRADES, speed=2.0)
    market.round()
    assert len(market.prints) == 1
    market.round(0.2)
    assert len(market.prints) == 1
    market.round(0.05)
    assert len(market.prints) == 2
    market.round(0.25)
    assert len(market.prints) == 3
    assert market.feed.ended
    assert market.round(1.0) == 0


def test_a_bar_is_four_prints_with_its_volume(tmp_path: Path) -> None:
    market = rig(tmp_path, "btcusdt_1m.csv.gz", BARS)
    market.run()
    assert market.prints == [(100.0, 1.0), (90.0, 1.0), (110.0, 1.0), (105.0, 1.0)]
    assert not market.rejected


def test_a_customer_is_filled_at_his_own_price_when_the_market_comes_to_him(tmp_path: Path) -> None:
    market = rig(tmp_path, "BTCUSDT-trades.csv", TRADES, speed=1.0)
    market.round()
    market.order(Side.BUY, 99.8, 0.5)
    market.run()
    (fill,) = market.venue.fills("me")
    assert (market.instrument.price(fill.price), market.instrument.quantity(fill.quantity)) == (99.8, 0.5)


def test_what_a_customer_took_is_there_again_for_the_next_print(tmp_path: Path) -> None:
    market = rig(tmp_path, "BTCUSDT-trades.csv", TRADES, speed=1.0)
    market.round()
    price, size = market.book()[1][0]
    market.order(Side.BUY, price, size)
    assert market.book()[1][0][0] > price
    market.run()
    assert market.prints[2:] == [(100.01, 0.00001), (99.5, 2.0)]


def capture(*frames: str, snapshot: bool = True) -> str:
    rows = [f"{1_700_000_000_000_000_000 + number * 10**8} {frame}" for number, frame in enumerate(frames)]
    return "\n".join(rows) + "\n"


FRAMES = (
    CHANGE.format(ms=1_700_000_000_000, first=5, last=10, bids='[["100.00","1.0"]]', asks="[]"),
    '{"lastUpdateId":10,"bids":[["100.00","1.0"],["99.00","0.00002"]],"asks":[["101.00","2.0"],["102.00","3.0"]]}',
    CHANGE.format(ms=1_700_000_000_200, first=11, last=11, bids='[["100.50","0.7"]]', asks='[["101.00","1.5"]]'),
    '{"e":"trade","E":1700000000300,"s":"BTCUSDT","t":7,"p":"102.00","q":"0.25","T":1700000000300,"m":false,"M":true}',
    CHANGE.format(ms=1_700_000_000_400, first=12, last=13, bids='[["99.00","0"]]', asks='[["101.00","0"],["102.00","2.75"]]'),
)  # fmt: skip


def test_a_captures_book_is_the_venues_book(tmp_path: Path) -> None:
    market = rig(tmp_path, "capture.txt", capture(*FRAMES), speed=1.0)
    market.round()
    market.round(0.15)
    assert market.book() == ([(100.0, 1.0), (99.0, 0.00002)], [(101.0, 2.0), (102.0, 3.0)])
    market.round(0.1)
    assert market.book() == ([(100.5, 0.7), (100.0, 1.0), (99.0, 0.00002)], [(101.0, 1.5), (102.0, 3.0)])
    market.round(0.1)
    assert market.prints == [(102.0, 0.25)]
    assert market.book()[1] == [(102.0, 2.75)]  # nothing before its price can have been there, and what it left is
    market.run()
    assert market.prints == [(102.0, 0.25)]
    assert market.book() == ([(100.5, 0.7), (100.0, 1.0)], [(102.0, 2.75)])
    assert not market.rejected
    assert market.feed.counters["gaps"] == 0


def test_a_gap_in_a_capture_is_counted_and_the_book_stays(tmp_path: Path) -> None:
    gap = CHANGE.format(ms=1_700_000_000_500, first=90, last=90, bids='[["100.60","1"]]', asks="[]")
    market = rig(tmp_path, "capture.txt", capture(*FRAMES, gap))
    market.run()
    assert market.feed.counters["gaps"] == 1
    assert market.book(1) == ([(100.5, 0.7)], [(102.0, 2.75)])


def test_quotes_are_the_best_of_the_book(tmp_path: Path) -> None:
    text = "time,bid,ask,bid_size,ask_size\n1700000000000,100,101,1,2\n1700000001000,100.5,101,3,2\n1700000002000,9,8,1,1\n"
    market = rig(tmp_path, "BTCUSDT_quotes.csv", text)
    market.run()
    assert market.book() == ([(100.5, 3.0)], [(101.0, 2.0)])
    assert market.prints == []


def test_no_round_is_endless_however_fast_the_replay() -> None:
    rows = 5_000
    columns = TradeColumns(
        instrument_id=SPOT, time_ns=np.arange(rows, dtype=np.int64), price=np.where(np.arange(rows) % 2, 100.0, 101.0),
        size=np.ones(rows), side=np.ones(rows, np.int8), id=np.arange(rows, dtype=np.int64),
    )  # fmt: skip
    market = Rig(columns, LISTED[SPOT])
    counts = [market.round() for _ in range(3)]
    assert max(counts) < MOST_COMMANDS + 100
    assert min(counts) >= MOST_COMMANDS


def test_both_accounts_of_a_replay_end_where_the_other_one_does(tmp_path: Path) -> None:
    market = rig(tmp_path, "BTCUSDT-trades.csv", TRADES)
    market.run()
    held = [market.venue.balances(name)["BTC"][0] for name in (MAKER, TAKER)]
    assert sum(held) == 0
    assert held[0] != 0


@pytest.mark.parametrize(
    ("name", "symbol", "instrument_id"),
    [
        ("BTCUSDT-trades.csv", "", SPOT),
        ("x.csv", "BTCUSDT", SPOT),
        ("x.csv", "BTCUSDT.BINANCE_USDM", "BTCUSDT.BINANCE_USDM"),
        ("SOLUSDC-trades.csv", "", "SOLUSDC.BINANCE"),
    ],
)
def test_a_file_belongs_to_an_instrument(tmp_path: Path, name: str, symbol: str, instrument_id: str) -> None:
    market = rig(tmp_path, name, TRADES.replace("100.01", "100.0123"), symbol=symbol)
    assert market.name == instrument_id
    assert market.instrument.price_grid.step == Decimal("0.0001")
    market.run()
    assert market.prints[1] == (100.0123, 0.00001)


def test_what_cannot_be_replayed_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not exist"):
        read_recording(HistoryFile("", tmp_path / "none.csv"), LISTED)
    with pytest.raises(ConfigError, match="venue after the dot must be BINANCE or BINANCE_USDM"):
        rig(tmp_path, "x.csv", TRADES, symbol="AAPL.NASDAQ")
    with pytest.raises(ConfigError, match="capture of BTCUSDT, not of ETHUSDT"):
        rig(tmp_path, "capture.txt", capture(*FRAMES), symbol="ETHUSDT")
