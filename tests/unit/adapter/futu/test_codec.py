"""Futu's quote messages become facts: golden frames, times with the market's zone, absent figures, parts of a share."""

from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from foxtrot.adapter import price_snap
from foxtrot.adapter.futu import codec
from foxtrot.adapter.futu.codec import MARKETS
from foxtrot.adapter.futu.contracts import bands_of
from foxtrot.adapter.price_snap import PriceSnap
from foxtrot.domain.enums import Product, Side
from foxtrot.domain.errors import BadMessage, OffGrid
from foxtrot.domain.instrument import Grid, Instrument
from foxtrot.domain.market import MarketTrade
from tests.support.futu_frames import FOLDER, golden, order_book, read
from tests.support.futu_market_rig import hong_kong

pytestmark = pytest.mark.usefixtures("futu_sdk")
ZONE = ZoneInfo("Asia/Hong_Kong")
NOW_NS = hong_kong("2026-03-10 10:00:06")
AT_NS = hong_kong("2026-03-10 10:00:05")


def stock(prefix: str = "HK") -> Instrument:
    market = MARKETS[prefix]
    symbol, venue, step = ("00700", "SEHK", "0.001") if prefix == "HK" else ("AAPL", "NASDAQ", "0.0001")
    return Instrument(
        instrument_id=f"{symbol}.{venue}", symbol=symbol, venue=venue, product=Product.STOCK, base_asset=symbol,
        quote_asset=market.currency, settle_asset=market.currency, price_grid=Grid.of(step), quantity_grid=Grid.of(1),
        price_bands=bands_of(prefix, date(2026, 3, 10)), lot_units=100, calendar=market.calendar,
    )  # fmt: skip


def trades_of(name: str, prefix: str = "HK") -> list[MarketTrade]:
    instrument, found = stock(prefix), list[MarketTrade]()
    snap, zone = PriceSnap(instrument), MARKETS[prefix].zone
    for row in read(name).s2c.tickerList:
        before = found[-1] if found else None
        found.append(codec.market_trade(row, instrument.instrument_id, snap, zone, NOW_NS, before))
    return found


def test_the_golden_files_are_what_the_sdks_classes_make() -> None:
    made = {name: message.SerializeToString(deterministic=True) for name, message in golden().items()}
    assert {path.stem: path.read_bytes() for path in FOLDER.glob("*.bin")} == made


def test_a_print_has_the_venues_sequence_time_size_and_side() -> None:
    first, second, _ = trades_of("ticker_hk")
    assert first == MarketTrade(
        "00700.SEHK", AT_NS + 120_000_000, NOW_NS, "6797230987398480801", 400.2, 100.0, Side.BUY
    )
    assert (second.price, second.size, second.aggressor) == (400.0, 300.0, Side.SELL)
    assert second.venue_time_ns == AT_NS + 120_000_000, "by its text, which has no zone"


def test_a_print_without_a_side_has_that_of_the_last_move() -> None:
    *_, neutral = trades_of("ticker_hk")
    assert neutral.aggressor is Side.SELL, "at the price of the one before, which sold"
    (alone,) = trades_of("ticker_us_part_of_a_share", "US")
    assert alone.aggressor is Side.SELL


def test_a_part_of_a_share_comes_from_the_exact_twin_of_the_size() -> None:
    (part,) = trades_of("ticker_us_part_of_a_share", "US")
    assert (part.size, part.price) == (0.5, 200.055)
    assert part.venue_time_ns == hong_kong("2026-03-09 21:31:00"), "09:31 in New York, which is on summer time by then"


def test_an_order_book_has_ten_levels_and_the_later_of_both_sides_times() -> None:
    book, snap = read("order_book_hk").s2c, PriceSnap(stock())
    bids, asks = codec.levels(book.orderBookBidList, snap), codec.levels(book.orderBookAskList, snap)
    assert (bids[0], bids[9], asks[0], asks[9]) == ((400.0, 100.0), (398.2, 1_000.0), (400.2, 200.0), (402.0, 2_000.0))
    assert (len(bids), len(asks)) == (10, 10)
    assert codec.book_time_ns(book, ZONE, NOW_NS) == AT_NS + 119_000_000


def test_an_order_book_without_a_time_is_of_now() -> None:
    assert codec.book_time_ns(read("order_book_us").s2c, ZONE, NOW_NS) == NOW_NS


def test_an_order_book_with_times_in_texts_alone_has_them() -> None:
    book = order_book((1, "00700"), [], [], svrRecvTimeBid="2026-03-10 10:00:05", svrRecvTimeAsk="").s2c
    assert codec.book_time_ns(book, ZONE, NOW_NS) == AT_NS


def test_a_level_without_a_price_is_none() -> None:
    book = read("order_book_empty").s2c
    assert codec.levels(book.orderBookBidList, PriceSnap(stock())) == ()


def test_a_quote_has_the_last_price_and_the_totals_of_the_day() -> None:
    (basic,) = read("quote_hk").s2c.basicQotList
    quote = codec.quote(basic, PriceSnap(stock()), ZONE)
    assert quote == codec.Quote(AT_NS + 500_000_000, 400.2, 1_234_500.0, 4.9e8, 399.0, 405.4, 398.6, 397.8)


def test_a_quote_without_a_trade_has_no_time() -> None:
    (basic,) = read("quote_us_without_a_trade").s2c.basicQotList
    quote = codec.quote(basic, PriceSnap(stock("US")), MARKETS["US"].zone)
    assert (quote.venue_time_ns, quote.last, quote.volume) == (0, 0.0, 0.0)


def test_klines_have_the_markets_time() -> None:
    first, last = (codec.kline(row, PriceSnap(stock()), ZONE) for row in read("klines_hk").s2c.klList)
    assert first == codec.Kline(
        hong_kong("2026-03-10 10:00:00"), False, 399.8, 400.2, 399.6, 400.0, 5_000.0, 1_999_000.0
    )
    assert last.stamp_ns - first.stamp_ns == 60_000_000_000


def test_a_blank_kline_has_a_time_alone() -> None:
    row = read("klines_hk").s2c.klList[0]
    row.isBlank = True
    assert codec.kline(row, PriceSnap(stock()), ZONE) == codec.Kline(
        hong_kong("2026-03-10 10:00:00"), True, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0
    )


def test_a_kline_without_prices_is_no_bar_at_zero() -> None:
    row = read("klines_hk").s2c.klList[0]
    row.ClearField("closePrice")
    with pytest.raises(BadMessage, match="2026-03-10 10:00:00 lacks prices"):
        codec.kline(row, PriceSnap(stock()), ZONE)


@pytest.mark.parametrize(
    ("text", "timestamp", "expected"),
    [
        ("2026-03-10 10:00:05", 0.0, AT_NS),
        ("2026-03-10 10:00:05.250", 0.0, AT_NS + 250_000_000),
        ("2026-03-10", 0.0, hong_kong("2026-03-10 00:00:00")),
        ("nonsense is not read where there is a timestamp", 1773108005.001, AT_NS + 1_000_000),
        ("", 0.0, 0),
        ("N/A", 0.0, 0),
    ],
)  # fmt: skip
def test_times(text: str, timestamp: float, expected: int) -> None:
    assert codec.time_ns(text, timestamp, ZONE) == expected


def test_a_time_that_is_none_is_named() -> None:
    with pytest.raises(BadMessage, match="'half past ten' is no time such as"):
        codec.time_ns("half past ten", 0.0, ZONE)


@pytest.mark.parametrize(("sent", "point"), [(400.20000000000005, 400.2), (400.1999999999999, 400.2), (0.1 + 0.2, 0.3)])
def test_a_price_is_the_float_of_its_grid_point(sent: float, point: float) -> None:
    assert PriceSnap(stock())(sent) == point


def test_prices_are_forgotten_before_there_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(price_snap, "KNOWN_PRICES", 4)
    snap = PriceSnap(stock())
    prices = [300.2 + number / 5 for number in range(50)]
    assert [snap(price) for price in prices] == [round(price, 1) for price in prices]
    assert len(snap.known) <= 4


def test_a_price_that_is_not_finite_is_refused() -> None:
    with pytest.raises(OffGrid):
        PriceSnap(stock())(float("inf"))


def test_a_bar_takes_the_figures_of_its_kline() -> None:
    one = codec.Kline(1, False, 1.0, 3.0, 0.5, 2.0, 10.0, 20.0)
    made: Any = codec.bar(one, "X", "1m", (5, 65), 70)
    assert (made.open, made.high, made.low, made.close, made.volume, made.turnover) == (1.0, 3.0, 0.5, 2.0, 10.0, 20.0)
    assert (made.open_time_ns, made.close_time_ns, made.local_time_ns) == (5, 65, 70)
