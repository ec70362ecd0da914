"""Reads what an order request asks for: the stock, the type, legal prices and quantities, how long it is good."""

from collections.abc import Mapping
from datetime import date
from decimal import ROUND_DOWN, Decimal
from math import isfinite
from typing import Any, Final

import msgspec

from foxtrot.domain.enums import OrderType, Side, TimeInForce
from foxtrot.domain.errors import ConfigError, OffGrid
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.commands import PlaceOrder
from foxtrot.exchange.wire.futu.futu_hours import HK, SH, SZ, US
from foxtrot.exchange.wire.futu.refusal import FutuRefused
from foxtrot.exchange.wire.futu.trade_hours import TradeHours
from foxtrot.exchange.wire.futu.trade_orders import DAY, GTC, GTD, IOC
from foxtrot.exchange.wire.futu.trade_texts import refused
from foxtrot.exchange.wire.futu.venue_side import HKCC, FutuAccount, FutuSide

BUY, SELL = 1, 2
SIDES: Final = {BUY: Side.BUY, SELL: Side.SELL}
QUOTE_MARKETS: Final = {1: HK, 2: US, 31: SH, 32: SZ}
"""TrdSecMarket and, for these two, TrdMarket → QotMarket."""
NORMAL, MARKET, ABSOLUTE_LIMIT, SPECIAL_LIMIT_ALL, TRAILING_STOP = 1, 2, 5, 9, 14
RATIO, AMOUNT = 1, 2
"""Ways to give a trailing distance (Trd_Common.TrailType)."""
LONGEST_REMARK: Final = 64
MOST_QUANTITY, MOST_PRICE = 10**10, 10**9
"""Beyond these no order is meant; the venue's money stays exact below them."""
_PLACES: Final = Decimal("0.001")


class OrderKind(msgspec.Struct, frozen=True, gc=False):
    """How the venue does an order type of Futu; one that is done at once has the time in force that makes it so."""

    order_type: OrderType
    at_once: TimeInForce | None = None
    hk_only: bool = False


KINDS: Final[Mapping[int, OrderKind]] = {
    NORMAL: OrderKind(OrderType.LIMIT),
    MARKET: OrderKind(OrderType.MARKET, TimeInForce.GTC),
    ABSOLUTE_LIMIT: OrderKind(OrderType.LIMIT, TimeInForce.IOC, hk_only=True),
    8: OrderKind(OrderType.LIMIT, TimeInForce.IOC, hk_only=True),
    SPECIAL_LIMIT_ALL: OrderKind(OrderType.LIMIT, TimeInForce.FOK, hk_only=True),
    10: OrderKind(OrderType.STOP),
    11: OrderKind(OrderType.STOP_LIMIT),
    12: OrderKind(OrderType.TAKE_PROFIT),
    13: OrderKind(OrderType.TAKE_PROFIT_LIMIT),
    TRAILING_STOP: OrderKind(OrderType.TRAILING_STOP),
}
"""Order types that are taken (Trd_Common.OrderType); auctions, trailing limits, TWAP and VWAP are refused.

Source: Futu OpenAPI documentation, OrderType.
"""
_RTH_ONLY, _NOT_OFFERED = frozenset({0, 1}), 4
"""Sessions (Common.Session) in regular hours; overnight trading is not offered."""


class OrderAsk(msgspec.Struct, frozen=True):
    """An order that is asked for, checked but for the market's hours, the money and the book. Figures in units."""

    account: FutuAccount
    instrument: Instrument
    side: Side
    kind: OrderKind
    order_type: int
    time_in_force: int
    quantity: int
    price: int
    trigger: int
    trailing: int
    expire: date | None
    outside: bool
    raw: Any


class OrderReader:
    """Turns order requests into what the venue understands.

    Thread: exchange-io.
    """

    def __init__(self, side: FutuSide, hours: TradeHours) -> None:
        self._side = side
        self._hours = hours

    def read(self, account: FutuAccount, c2s: Any) -> OrderAsk:
        """Return what an order request asks for.

        Source: Futu OpenAPI documentation, Place Order.

        Raises:
            FutuRefused: something in it is not supported, or off the grid of the stock.
        """
        instrument = self.stock(c2s)
        kind = self._kind(account, instrument, c2s)
        self._check_terms(account, c2s)
        price = price_units(instrument, c2s, c2s.price) if kind.order_type.needs_price else 0
        trigger = self.trigger(instrument, c2s) if kind.order_type.needs_trigger else 0
        trailing = self.trailing(instrument, c2s) if c2s.orderType == TRAILING_STOP else 0
        expire = self._expire(instrument, c2s) if c2s.timeInForce == GTD else None
        return OrderAsk(
            account, instrument, SIDES[c2s.trdSide], kind, c2s.orderType, c2s.timeInForce,
            quantity_units(instrument, c2s.qty), price, trigger, trailing, expire, account.real and is_extended(c2s), c2s,
        )  # fmt: skip

    def stock(self, c2s: Any) -> Instrument:
        """Return the stock that a request names by its market and bare code.

        Source: Futu OpenAPI documentation, Place Order: code, secMarket; seen with futu-api 10.11.7108: trdMarket follows the code.

        Raises:
            FutuRefused: it is not listed.
        """
        named = c2s.secMarket or c2s.header.trdMarket
        found = self._side.stocks().get((QUOTE_MARKETS.get(named, 0), c2s.code))
        if found is None:
            raise refused("stock", code=c2s.code, market=named)
        return found

    def command(self, ask: OrderAsk, name: str, now_ns: int) -> PlaceOrder:
        """Return the venue's command that enters an order now.

        Source: Futu OpenAPI documentation, OrderType, TimeInForce.
        """
        time_in_force, expire_ns = self._venue_time(ask, now_ns)
        return PlaceOrder(
            now_ns,
            ask.account.account,
            ask.instrument.instrument_id,
            name,
            ask.side,
            ask.kind.order_type,
            ask.quantity,
            ask.price,
            ask.trigger,
            time_in_force,
            trailing_offset=ask.trailing,
            expire_time_ns=expire_ns,
            expire_unfillable=True,
        )

    def trigger(self, instrument: Instrument, c2s: Any) -> int:
        """Return the trigger price of a request, in units.

        Source: Futu OpenAPI documentation, Place Order: auxPrice.

        Raises:
            FutuRefused: it is not a legal price.
        """
        try:
            return instrument.price_units(_cut(c2s.auxPrice))
        except (OffGrid, ValueError):
            raise refused("trigger", price=c2s.auxPrice) from None

    def trailing(self, instrument: Instrument, c2s: Any) -> int:
        """Return the distance of a trailing stop, in units; one in per cent is taken of the last price.

        Source: Futu OpenAPI documentation, Place Order: trailType, trailValue.

        Raises:
            FutuRefused: it is no distance, or there is no price yet.
        """
        value = c2s.trailValue
        if c2s.trailType not in (RATIO, AMOUNT) or not 0 < value < MOST_PRICE:
            raise refused("trail", value=value, most=MOST_PRICE)
        distance = Decimal(repr(value))
        if c2s.trailType == RATIO:
            last = self._side.venue.ticker(instrument.instrument_id).mark_price
            if not last:
                raise refused("no_price", value=value)
            distance = instrument.price_grid.to_decimal(last) * distance / 100
        return max(1, instrument.price_grid.round(distance))

    def _venue_time(self, ask: OrderAsk, now_ns: int) -> tuple[TimeInForce, int]:
        """Return the time in force at the venue; the end of a day is a time, for it is not the same for every order."""
        if ask.kind.at_once is not None:
            return ask.kind.at_once, 0
        if ask.time_in_force == IOC:
            return TimeInForce.IOC, 0
        if ask.time_in_force == GTC:
            return TimeInForce.GTC, 0
        if ask.expire is not None:
            return TimeInForce.GTD, self._hours.date_end_ns(ask.instrument, ask.expire, outside=ask.outside)
        return TimeInForce.GTD, self._hours.day_end_ns(ask.instrument, now_ns, outside=ask.outside)

    def _kind(self, account: FutuAccount, instrument: Instrument, c2s: Any) -> OrderKind:
        if c2s.trdSide not in SIDES:
            raise refused("side", side=c2s.trdSide)
        kind = KINDS.get(c2s.orderType)
        market = self._side.trd_market_of(instrument)
        if kind is None or (kind.hk_only and self._side.market_of(instrument) != HK):
            raise refused("order_type", order_type=c2s.orderType, market=market)
        if not account.real and c2s.orderType not in (NORMAL, MARKET):
            raise refused("simulate_type", order_type=c2s.orderType)
        if market == HKCC and (c2s.orderType != NORMAL or c2s.timeInForce != DAY):
            raise refused("connect_only_day_limits", order_type=c2s.orderType, time_in_force=c2s.timeInForce)
        if is_extended(c2s) and c2s.orderType != NORMAL and self._side.market_of(instrument) == US:
            raise refused("outside_hours", order_type=c2s.orderType)
        return kind

    def _check_terms(self, account: FutuAccount, c2s: Any) -> None:
        if c2s.timeInForce not in (DAY, GTC, IOC, GTD):
            raise refused("time_in_force", time_in_force=c2s.timeInForce)
        if not account.real and c2s.timeInForce != DAY:
            raise refused("simulate_time", time_in_force=c2s.timeInForce)
        if c2s.session == _NOT_OFFERED:
            raise refused("session", session=c2s.session)
        length = len(c2s.remark.encode())
        if length > LONGEST_REMARK:
            raise refused("remark", length=length)

    def _expire(self, instrument: Instrument, c2s: Any) -> date:
        try:
            day = date.fromisoformat(c2s.expireTime[:10])
            end_ns = self._hours.date_end_ns(instrument, day, outside=is_extended(c2s))
        except (ValueError, ConfigError):  # no date, or one beyond the years that the calendar knows
            raise refused("expire_time", text=c2s.expireTime) from None
        if end_ns <= self._side.now_ns():
            raise refused("expire_time", text=c2s.expireTime)
        return day


def is_extended(c2s: Any) -> bool:
    """Tell whether an order may be filled before and after the regular hours.

    Source: Futu OpenAPI documentation, Place Order: fillOutsideRTH; Session: ETH, ALL.
    """
    return bool(c2s.fillOutsideRTH) or c2s.session not in _RTH_ONLY


def quantity_units(instrument: Instrument, quantity: float) -> int:
    """Return a quantity in units; what is behind the point is cut off.

    Source: Futu OpenAPI documentation, Place Order: qty.

    Raises:
        FutuRefused: it is not above 0, or no multiple of the lot.
    """
    whole = int(quantity) if isfinite(quantity) else 0
    if not 0 < whole <= MOST_QUANTITY:
        raise refused("quantity", quantity=quantity, most=MOST_QUANTITY)
    try:
        return instrument.quantity_units(whole)
    except OffGrid:
        lot = instrument.quantity_grid.to_text(instrument.lot_units)
        raise refused("lot", quantity=whole, lot=lot) from None


def price_units(instrument: Instrument, c2s: Any, price: float) -> int:
    """Return a price in units, moved to a legal one where the request allows it and that is near enough.

    Source: Futu OpenAPI documentation, Place Order: price (three decimals, the rest is cut off), adjustPrice, adjustSideAndLimit.

    Raises:
        FutuRefused: it is not above 0, or not a legal price.
    """
    try:
        exact = _cut(price)
    except ValueError:
        raise refused("price", price=price, most=MOST_PRICE) from None
    try:
        return instrument.price_units(exact)
    except OffGrid as error:
        if c2s.adjustPrice and c2s.adjustSideAndLimit:
            return _adjusted(instrument, exact, c2s.adjustSideAndLimit)
        raise _off_spread(exact, error.below, error.above) from None


def _adjusted(instrument: Instrument, price: Decimal, limit: float) -> int:
    units = instrument.round_price_units(price, "up" if limit > 0 else "down")
    moved = abs(instrument.price_grid.to_decimal(units) - price)
    if moved > price * Decimal(repr(abs(limit))) or units <= 0:
        below, above = instrument.round_price_units(price, "down"), instrument.round_price_units(price, "up")
        to_text = instrument.price_grid.to_text
        raise _off_spread(price, to_text(below), to_text(above))
    return units


def _off_spread(price: Decimal, below: str, above: str) -> FutuRefused:
    plain = [format(Decimal(figure).normalize(), "f") for figure in (price, below, above)]
    return refused("spread", price=plain[0], below=plain[1], above=plain[2])


def _cut(price: float) -> Decimal:
    """Return a price with the decimals that count.

    Raises:
        ValueError: it is not above 0, or absurdly high.
    """
    exact = Decimal(repr(price)).quantize(_PLACES, ROUND_DOWN) if 0 < price < MOST_PRICE else Decimal(0)
    if not exact:
        raise ValueError(f"price {price} is not above 0 and below {MOST_PRICE}")
    return exact
