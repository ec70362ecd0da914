"""What a contract's prices look like as ticks: live, delayed, and those that are asked for by number.

Source: TWS API documentation, Available Tick Types.
"""

from typing import Final

import msgspec

from foxtrot.exchange.commands import TradingState
from foxtrot.exchange.events import TradePrinted
from foxtrot.exchange.wire.ib.ib_contract import CASH, IbContract
from foxtrot.exchange.wire.ib.layout import Layout, Value
from foxtrot.exchange.wire.ib.price_bars import MINUTE_NS, SECOND_NS
from foxtrot.exchange.wire.ib.price_memory import DayFigures, PriceMemory, Top
from foxtrot.exchange.wire.ib.quote_layouts import TICK_GENERIC, TICK_PRICE, TICK_SIZE, TICK_STRING
from foxtrot.exchange.wire.ib.quote_requests import size_of

NO_PRICE: Final = -1.0
"""What a bid or ask says that there is not."""
_EASY_TO_BORROW: Final = 3.0
_BORROWABLE: Final = 1_000_000


class TickNumbers(msgspec.Struct, frozen=True):
    """The numbers of the ticks that are told with every subscription; volume and the time of the last trade stand beside prices."""

    bid: int
    bid_size: int
    ask: int
    ask_size: int
    last: int
    last_size: int
    high: int
    low: int
    volume: int
    close: int
    open: int
    last_time: int


LIVE: Final = TickNumbers(1, 0, 2, 3, 4, 5, 6, 7, 8, 9, 14, 45)
DELAYED: Final = TickNumbers(66, 69, 67, 70, 68, 71, 72, 73, 74, 75, 76, 88)
HALTED: Final = 49
_RT_VOLUME, _RT_TRADES, _SHORTABLE, _SHORTABLE_SHARES, _MARK = 48, 77, 46, 89, 37
_TRADE_COUNT, _TRADE_RATE, _VOLUME_RATE, _LAST_RTH = 54, 55, 56, 57

GENERIC: Final = {
    "STK": {221: "Mark Price", 232: "Mark Price", 233: "RTVolume", 236: "Shortable", 293: "TradeCount", 294: "TradeRate",
            295: "VolumeRate", 318: "LastRTHTrade", 375: "RTTrdVolume"},
    "FUT": {221: "Mark Price", 232: "Mark Price", 233: "RTVolume", 293: "TradeCount", 294: "TradeRate", 295: "VolumeRate",
            318: "LastRTHTrade", 375: "RTTrdVolume"},
    "OPT": {221: "Mark Price", 232: "Mark Price", 233: "RTVolume", 293: "TradeCount", 294: "TradeRate", 295: "VolumeRate",
            375: "RTTrdVolume"},
    "CASH": {221: "Mark Price", 232: "Mark Price"},
}  # fmt: skip
"""Numbers by which further ticks are asked for, by kind of contract."""


class Tick(msgspec.Struct, frozen=True, gc=False):
    """One tick: its message, its number and value; a price that has a size says the size's own number."""

    of: Layout
    number: int
    value: Value
    size: int = 0
    size_number: int = -1

    def messages(self, before: "Tick | None") -> list[tuple[Layout, dict[str, Value]]]:
        """Return what is to be told to who knows an earlier tick of the same number; a size that changes alone is told alone.

        Source: TWS API documentation, tickPrice and tickSize; seen with ibapi 9.81.
        """
        if before == self:
            return []
        if self.of is TICK_PRICE:
            if before is None or before.value != self.value or self.size_number < 0:
                return [(TICK_PRICE, {"tick_type": self.number, "price": self.value, "size": self.size, "mask": 0})]
            return [(TICK_SIZE, {"tick_type": self.size_number, "size": self.size})]
        if self.of is TICK_SIZE:
            return [(TICK_SIZE, {"tick_type": self.number, "size": self.size})]
        return [(self.of, {"tick_type": self.number, "value": self.value})]


def top_ticks(contract: IbContract, top: Top, numbers: TickNumbers) -> list[Tick]:
    """Return the best bid and ask.

    Source: TWS API documentation, Available Tick Types (Bid Price, Ask Price and their sizes).
    """
    return [
        _best(contract, (top.bid, top.bid_size), (numbers.bid, numbers.bid_size)),
        _best(contract, (top.ask, top.ask_size), (numbers.ask, numbers.ask_size)),
    ]


def day_ticks(contract: IbContract, last: TradePrinted | None, day: DayFigures, numbers: TickNumbers) -> list[Tick]:
    """Return the last trade and the day; of currencies there are no trades.

    Source: TWS API documentation, Available Tick Types (Last Price, Volume, High, Low, Open, Close, Last Timestamp).
    """
    price = contract.instrument.price
    ticks = []
    if last is not None and contract.sec_type != CASH:
        size = size_of(contract, last.quantity)
        ticks = [
            Tick(TICK_PRICE, numbers.last, price(last.price), size, numbers.last_size),
            Tick(TICK_STRING, numbers.last_time, str(last.time_ns // SECOND_NS)),
            Tick(TICK_SIZE, numbers.volume, None, size_of(contract, day.volume)),
        ]
    levels = ((numbers.high, day.high), (numbers.low, day.low), (numbers.close, day.previous), (numbers.open, day.open))
    return ticks + [Tick(TICK_PRICE, number, price(units)) for number, units in levels if units]


def halted_tick(state: TradingState) -> Tick:
    """Return whether trading is halted.

    Source: TWS API documentation, Available Tick Types (Halted): 0 is not, 1 is a general halt.
    """
    return Tick(TICK_GENERIC, HALTED, 1.0 if state is TradingState.HALTED else 0.0)


def generic_ticks(memory: PriceMemory, asked: frozenset[int], now_ns: int) -> list[Tick]:
    """Return the ticks that were asked for by number, as far as there is anything to tell.

    Source: TWS API documentation, Available Tick Types; Generic tick required.
    """
    contract, last, day = memory.contract, memory.last, memory.day
    price, ticks = contract.instrument.price, []
    if 236 in asked:
        ticks.append(Tick(TICK_GENERIC, _SHORTABLE, _EASY_TO_BORROW))
        ticks.append(Tick(TICK_SIZE, _SHORTABLE_SHARES, None, _BORROWABLE))
    if asked & {221, 232} and memory.mark:
        ticks.append(Tick(TICK_PRICE, _MARK, price(memory.mark)))
    if last is None:
        return ticks
    ticks += [
        Tick(TICK_STRING, n, _rt_volume(memory, last)) for g, n in ((233, _RT_VOLUME), (375, _RT_TRADES)) if g in asked
    ]
    if 293 in asked:
        ticks.append(Tick(TICK_GENERIC, _TRADE_COUNT, float(day.count)))
    if asked & {294, 295}:
        count, volume = _last_minute(memory, now_ns)
        rates = ((294, _TRADE_RATE, float(count)), (295, _VOLUME_RATE, float(size_of(contract, volume))))
        ticks += [Tick(TICK_GENERIC, number, value) for generic, number, value in rates if generic in asked]
    if 318 in asked and memory.hours.session_of(last.time_ns) is not None:
        ticks.append(Tick(TICK_PRICE, _LAST_RTH, price(last.price)))
    return ticks


def _best(contract: IbContract, level: tuple[int, int], numbers: tuple[int, int]) -> Tick:
    value = contract.instrument.price(level[0]) if level[0] else NO_PRICE
    return Tick(TICK_PRICE, numbers[0], value, size_of(contract, level[1]), numbers[1])


def _rt_volume(memory: PriceMemory, last: TradePrinted) -> str:
    """Return price;size;time in ms;volume of the day;average price of the day;whether one market maker filled it all."""
    contract, day = memory.contract, memory.day
    instrument = contract.instrument
    average = instrument.price_grid.to_float(day.turnover) / day.volume if day.volume else 0.0
    parts = (
        instrument.price(last.price), size_of(contract, last.quantity), last.time_ns // 1_000_000,
        size_of(contract, day.volume), round(average, 8), "true",
    )  # fmt: skip
    return ";".join(str(part) for part in parts)


def _last_minute(memory: PriceMemory, now_ns: int) -> tuple[int, int]:
    count = volume = 0
    for bar in reversed(memory.trades.seconds):
        if bar.open_ns <= now_ns - MINUTE_NS:
            break
        count, volume = count + bar.count, volume + bar.volume
    return count, volume
