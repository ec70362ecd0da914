"""Rows of answers and pushes: how a quote, a book, a trade and a K-line of the venue look in FutuOpenD's messages.

Prices are floats of the instrument's grid. Volumes are whole numbers; a size that is not whole stands in the twin field as well.
"""

from typing import Any, Final

import msgspec

from foxtrot.domain.enums import Side
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.commands import TradingState
from foxtrot.exchange.events import TradePrinted
from foxtrot.exchange.wire.futu.kline_series import Bar, StockMemory
from foxtrot.exchange.wire.futu.quote_sessions import TRADED, Stretches
from foxtrot.exchange.wire.futu.quote_stocks import Stock, StockTable
from foxtrot.exchange.wire.futu.quote_times import (
    BARS_STAMPED_AT_END,
    day_text,
    epoch_s,
    local_text,
    local_text_ms,
)
from foxtrot.exchange.wire.futu.quote_types import KlineKind

BUY, SELL = 1, 2
"""Directions of a trade: it met an ask, or a bid.

Source: Qot_Common.proto, TickerDirection.
"""
AUTOMATCH, EXTENDED_HOURS = 1, 21
"""Kinds of trades: of regular hours, and of those around them.

Source: Qot_Common.proto, TickerType.
"""
REALTIME, CACHED = 1, 3
"""Whether a trade is told as it happens or afterwards.

Source: Qot_Common.proto, PushDataType.
"""
NORMAL, SUSPENDED = 1, 9
"""States of a security.

Source: Qot_Common.proto, SecurityStatus.
"""
ALL_FIELDS: Final = 1023
_FIELDS: Final = (
    (1, "highPrice"), (2, "openPrice"), (4, "lowPrice"), (8, "closePrice"), (16, "lastClosePrice"), (32, "volume"),
    (64, "turnover"), (128, "turnoverRate"), (256, "pe"), (512, "changeRate"),
)  # fmt: skip


class DayFigures(msgspec.Struct, frozen=True, gc=False):
    """A stock's newest trading day as floats; all 0 before its first trade but `last`, which is then its reference."""

    open: float = 0.0
    high: float = 0.0
    low: float = 0.0
    last: float = 0.0
    previous: float = 0.0
    turnover: float = 0.0
    last_units: int = 0


def fill_security(row: Any, stock: Stock) -> None:
    """Fill a Security.

    Source: Qot_Common.proto, Security.
    """
    row.market, row.code = stock.market, stock.code


def money(instrument: Instrument, turnover: int) -> float:
    """Return a sum of price * quantity in units as money, correctly rounded.

    Source: Qot_Common.proto, the fields named turnover.
    """
    price, quantity = instrument.price_grid, instrument.quantity_grid
    return turnover * price.numerator * quantity.numerator / (price.denominator * quantity.denominator)


def set_volume(row: Any, instrument: Instrument, units: int) -> None:
    """Fill a volume, and its twin where it is not a whole number.

    Source: Qot_Common.proto, hpVolume; seen with futu-api 10.11.7108: the twin is preferred where it is there.
    """
    grid = instrument.quantity_grid
    whole, rest = divmod(units * grid.numerator, grid.denominator)
    row.volume = whole
    if rest:
        row.hpVolume = instrument.quantity(units)


def percent(change: float, base: float) -> float:
    """Return a change in percent, 0 of nothing.

    Source: Qot_Common.proto, changeRate and amplitude: 20 is 20 %.
    """
    return round(100 * change / base, 3) if base else 0.0


def figures_of(table: StockTable, stock: Stock) -> DayFigures:
    """Return the figures of the newest day on which a stock traded in regular hours.

    Source: Futu OpenAPI documentation, Get Real-time Quote.
    """
    price, memory = stock.instrument.price, table.latest(stock)
    if not memory.days.bars:
        reference = memory.reference
        return DayFigures(last=price(reference), previous=price(reference), last_units=reference)
    bar = memory.days.bars[-1]
    prices = (price(bar.open), price(bar.high), price(bar.low), price(bar.close), price(bar.before or bar.open))
    return DayFigures(*prices, money(stock.instrument, bar.turnover), bar.close)


def fill_basic(row: Any, table: StockTable, stock: Stock) -> None:
    """Fill a BasicQot: the newest day, its last price, and the step of that price's band.

    Source: Qot_Common.proto, BasicQot; Futu OpenAPI documentation, Get Real-time Quote.
    """
    memory, figures, instrument = table.latest(stock), figures_of(table, stock), stock.instrument
    fill_security(row.security, stock)
    row.name = stock.name
    row.isSuspended = is_suspended(table, stock)
    row.secStatus = SUSPENDED if row.isSuspended else NORMAL
    row.listTime = day_text(stock.listed)
    row.priceSpread = instrument.price(instrument.step_units(figures.last_units))
    row.updateTime = local_text_ms(memory.last_ns, memory.stretches.zone)
    if memory.last_ns:
        row.updateTimestamp = epoch_s(memory.last_ns)
    row.openPrice, row.highPrice, row.lowPrice = figures.open, figures.high, figures.low
    row.curPrice, row.lastClosePrice = figures.last, figures.previous
    set_day_volume(row, instrument, memory)
    row.turnover, row.turnoverRate = figures.turnover, 0.0
    row.amplitude = percent(figures.high - figures.low, figures.previous)
    fill_extended(row, stock, memory)


def set_day_volume(row: Any, instrument: Instrument, memory: StockMemory) -> None:
    """Fill the volume of the newest day.

    Source: Qot_Common.proto, BasicQot.volume.
    """
    set_volume(row, instrument, memory.days.bars[-1].volume if memory.days.bars else 0)


def is_suspended(table: StockTable, stock: Stock) -> bool:
    """Tell whether trading in a stock is halted while its market trades; the venue halts all of them for the night too.

    Source: Qot_Common.proto, BasicQot.isSuspended.
    """
    side = table.side
    if side.venue.trading_state(stock.instrument.instrument_id) is not TradingState.HALTED:
        return False
    return side.phase(stock.market, side.now_ns()) in TRADED


def fill_extended(row: Any, stock: Stock, memory: StockMemory) -> None:
    """Fill what was traded before the opening and after the close of the newest days on which that happened (US only).

    Source: Qot_Common.proto, PreAfterMarketData.
    """
    days = memory.days.bars
    for field, series in (("preMarket", memory.before_open), ("afterMarket", memory.after_close)):
        if not series.bars:
            continue
        bar, instrument = series.bars[-1], stock.instrument
        newest_ns = bar.open_ns - (field == "preMarket")
        closes = [day.close for day in days[-2:] if day.open_ns <= newest_ns]
        base = instrument.price(closes[-1]) if closes else 0.0
        part = getattr(row, field)
        part.price, part.highPrice, part.lowPrice = (instrument.price(u) for u in (bar.close, bar.high, bar.low))
        part.volume = int(instrument.quantity_grid.to_decimal(bar.volume))
        part.turnover = money(instrument, bar.turnover)
        part.changeVal = round(part.price - base, 6) if base else 0.0
        part.changeRate = percent(part.changeVal, base)
        part.amplitude = percent(part.highPrice - part.lowPrice, base)


def fill_book(s2c: Any, table: StockTable, stock: Stock, levels: int) -> None:
    """Fill both sides of a book, best first; never a change, always the whole.

    Source: Qot_UpdateOrderBook.proto and Qot_GetOrderBook.proto; the times of receipt are Hong Kong's alone.
    """
    side, instrument = table.side, stock.instrument
    name = instrument.instrument_id
    _, bids, asks = side.venue.depth(name, levels)
    counts = side.venue.order_counts(name, levels)
    fill_security(s2c.security, stock)
    s2c.name = stock.name
    s2c.orderBookType = 0
    for target, rows, numbers in ((s2c.orderBookBidList, bids, counts[0]), (s2c.orderBookAskList, asks, counts[1])):
        for (price, quantity), number in zip(rows, numbers, strict=True):
            row = target.add()
            row.price, row.orederCount = instrument.price(price), number
            set_volume(row, instrument, quantity)
    if stock.market == 1:
        received, zone = side.venue.time_ns, side.zone_of(stock.market)
        s2c.svrRecvTimeBid = s2c.svrRecvTimeAsk = local_text_ms(received, zone)
        s2c.svrRecvTimeBidTimestamp = s2c.svrRecvTimeAskTimestamp = epoch_s(received)


def fill_ticker(row: Any, stock: Stock, trade: TradePrinted, stretches: Stretches, pushed: int) -> None:
    """Fill a Ticker.

    Source: Qot_Common.proto, Ticker; Futu OpenAPI documentation, Get Real-time Tick-by-Tick.
    """
    instrument = stock.instrument
    row.time = local_text_ms(trade.time_ns, stretches.zone)
    row.sequence = trade.trade_id
    row.dir = BUY if trade.aggressor is Side.BUY else SELL
    row.price = instrument.price(trade.price)
    set_volume(row, instrument, trade.quantity)
    row.turnover = money(instrument, trade.price * trade.quantity)
    stretch = stretches.of(trade.time_ns)
    row.type = AUTOMATCH if stretch is None or stretch.is_regular else EXTENDED_HOURS
    row.recvTime = row.timestamp = epoch_s(trade.time_ns)
    row.pushDataType = pushed


def stamp_ns(bar: Bar, kind: KlineKind) -> int:
    """Return the moment by which a K-line is named: the end of a minute bar, the day on which a longer one begins.

    Source: seen by Futu OpenAPI users (github.com/FutunnOpen/py-futu-api issue 253); Get Historical Candlesticks (examples).
    """
    if not kind.is_calendar:
        return bar.close_ns if BARS_STAMPED_AT_END else bar.open_ns
    return bar.open_ns


def fill_kline(row: Any, stock: Stock, bar: Bar, stamped_ns: int, fields: int = ALL_FIELDS) -> None:
    """Fill a KLine with the fields that are asked for.

    Source: Qot_Common.proto, KLine and KLFields.
    """
    instrument = stock.instrument
    price = instrument.price
    before = price(bar.before or bar.open)
    values = {
        "highPrice": price(bar.high), "openPrice": price(bar.open), "lowPrice": price(bar.low),
        "closePrice": price(bar.close), "lastClosePrice": before, "turnover": money(instrument, bar.turnover),
        "turnoverRate": 0.0, "pe": 0.0, "changeRate": percent(price(bar.close) - before, before),
    }  # fmt: skip
    row.isBlank = False
    row.timestamp = epoch_s(stamped_ns)
    for bit, name in _FIELDS:
        if not fields & bit:
            continue
        if name == "volume":
            set_volume(row, instrument, bar.volume)
        else:
            setattr(row, name, values[name])


def add_klines(rows: Any, stock: Stock, bars: list[Bar], kind: KlineKind, stretches: Stretches) -> None:
    """Add K-lines with all their fields.

    Source: Qot_GetKL.proto and Qot_UpdateKL.proto, klList.
    """
    for bar in bars:
        add_kline(rows, stock, bar, (kind, stretches), ALL_FIELDS)


def add_kline(rows: Any, stock: Stock, bar: Bar, of: tuple[KlineKind, Stretches], fields: int) -> None:
    """Add one K-line; `of` is its kind and where its stock trades.

    Source: Qot_Common.proto, KLine.
    """
    kind, stretches = of
    stamped = stamp_ns(bar, kind)
    row = rows.add()
    row.time = local_text(stamped, stretches.zone)
    fill_kline(row, stock, bar, stamped, fields)
