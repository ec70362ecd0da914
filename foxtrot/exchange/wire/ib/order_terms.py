"""What an order asks of the venue: its type, size and prices in units, and how long it is good; refuses what cannot be had."""

from decimal import Decimal
from typing import Final

import msgspec

from foxtrot.domain.enums import OrderType, Side, TimeInForce
from foxtrot.domain.errors import OffGrid
from foxtrot.exchange.commands import PlaceOrder
from foxtrot.exchange.wire.ib.order_algo import refuse_algo
from foxtrot.exchange.wire.ib.order_dates import moment_ns
from foxtrot.exchange.wire.ib.order_hours import OrderHours
from foxtrot.exchange.wire.ib.order_read import AskedOrder
from foxtrot.exchange.wire.ib.order_texts import refused
from foxtrot.exchange.wire.ib.venue_side import IbContract, IbSide

MARKET_TO_LIMIT, TRAIL = "MTL", "TRAIL"
TYPES: Final = {
    "MKT": OrderType.MARKET,
    "LMT": OrderType.LIMIT,
    MARKET_TO_LIMIT: OrderType.LIMIT,
    "STP": OrderType.STOP,
    "STPLMT": OrderType.STOP_LIMIT,
    "MIT": OrderType.TAKE_PROFIT,
    "LIT": OrderType.TAKE_PROFIT_LIMIT,
    TRAIL: OrderType.TRAILING_STOP,
}
"""Order types that the venue can do, without the spaces in their names."""
OPENING: Final = "OPG"
_TIMES: Final = {
    "DAY": TimeInForce.GTD,
    "GTC": TimeInForce.GTC,
    "GTD": TimeInForce.GTD,
    "IOC": TimeInForce.IOC,
    "FOK": TimeInForce.FOK,
    OPENING: TimeInForce.IOC,
}
AT_ONCE: Final = frozenset({"IOC", "FOK"})
_FILLED_OR_NOT: Final = frozenset({OrderType.MARKET, OrderType.LIMIT})
_HUNDRED: Final = Decimal(100)
_UNSUPPORTED: Final = (
    ("minQty", "a minimum quantity"),
    ("discretionaryAmt", "a discretionary amount"),
    ("goodAfterTime", "a time to begin"),
    ("faGroup", "an advisor's allocation"),
    ("faProfile", "an advisor's allocation"),
    ("adjustedOrderType", "an adjusted order"),
    ("scaleTable", "a scale order"),
)
_NOTHING: Final = frozenset({"", "0", "0.0", "NONE"})


class OrderTerms(msgspec.Struct, frozen=True):
    """An order in units of its instrument; figures that it has not are 0."""

    side: Side
    order_type: OrderType
    quantity: int
    price: int
    trigger: int
    trailing: int
    time_in_force: TimeInForce
    expire_ns: int
    display: int

    def command(self, account: str, instrument_id: str, name: str, now_ns: int, done: int = 0) -> PlaceOrder:
        """Return the command that enters the order under a name, without what is done of it already.

        Source: none; Foxtrot's own venue.
        """
        quantity = self.quantity - done
        return PlaceOrder(
            now_ns,
            account,
            instrument_id,
            name,
            self.side,
            self.order_type,
            quantity,
            self.price,
            self.trigger,
            self.time_in_force,
            trailing_offset=self.trailing,
            display_quantity=min(self.display, quantity),
            expire_time_ns=self.expire_ns,
            expire_unfillable=True,
        )


class TermsReader:
    """Reads what orders ask of the venue.

    Thread: exchange-io.
    """

    def __init__(self, side: IbSide, hours: OrderHours) -> None:
        self._side = side
        self._hours = hours

    def read(self, contract: IbContract, asked: AskedOrder, now_ns: int) -> OrderTerms:
        """Return what an order asks.

        Raises:
            IbRefused: something is missing, off the grid, or nothing that the venue can do.

        Source: TWS API documentation, Available Orders; Order.
        """
        self._refuse_unsupported(asked)
        refuse_algo(asked)
        name = asked.text("orderType").upper().replace(" ", "")
        order_type = TYPES.get(name)
        if order_type is None:
            raise refused(asked.order_id, "unsupported_type")
        if asked.text("action") not in ("BUY", "SELL"):
            raise refused(asked.order_id, "field", name="action", text=asked.text("action")[:40])
        side = Side(asked.text("action").lower())
        quantity = self._quantity(contract, asked)
        price = 0
        if order_type.needs_price:
            is_taking = name == MARKET_TO_LIMIT
            price = self._opposite(contract, asked, side) if is_taking else self._price(contract, asked, "lmtPrice")
        trigger = self._price(contract, asked, "auxPrice") if order_type.needs_trigger else 0
        trailing = self._trailing(contract, asked) if name == TRAIL else 0
        time_in_force, expire_ns = self._time(contract, asked, order_type, now_ns)
        display = self._display(contract, asked, order_type, quantity)
        return OrderTerms(side, order_type, quantity, price, trigger, trailing, time_in_force, expire_ns, display)

    def _refuse_unsupported(self, asked: AskedOrder) -> None:
        for name in ("eTradeOnly", "firmQuoteOnly"):
            if self._side.settings.refuses_old_attributes and asked.flag(name):
                told = "EtradeOnly" if name == "eTradeOnly" else "FirmQuoteOnly"
                raise refused(asked.order_id, "old_attribute", name=told)
        if asked.flag("allOrNone"):
            raise refused(asked.order_id, "unsupported", what="all-or-none")
        for name, what in _UNSUPPORTED:
            if asked.text(name).upper() not in _NOTHING:
                raise refused(asked.order_id, "unsupported", what=what)
        if asked.number("cashQty"):
            raise refused(asked.order_id, "cash_quantity")

    def _quantity(self, contract: IbContract, asked: AskedOrder) -> int:
        size = asked.number("totalQuantity")
        if size is None or size <= 0:
            raise refused(asked.order_id, "zero_size")
        try:
            return contract.instrument.quantity_units(size)
        except OffGrid as off:
            key = "lot" if size == size.to_integral_value() else "fractional"
            raise refused(asked.order_id, key, size=size, below=off.below, above=off.above) from None

    @staticmethod
    def _price(contract: IbContract, asked: AskedOrder, name: str) -> int:
        price = asked.number(name)
        if price is None:
            raise refused(asked.order_id, "missing", order_type=asked.text("orderType"), name=name)
        try:
            units = contract.instrument.price_units(price)
        except OffGrid:
            raise refused(asked.order_id, "tick") from None
        if units <= 0:
            raise refused(asked.order_id, "tick")
        return units

    def _opposite(self, contract: IbContract, asked: AskedOrder, side: Side) -> int:
        _, bids, asks = self._side.venue.depth(contract.instrument_id, 1)
        opposite = asks if side is Side.BUY else bids
        if not opposite:
            raise refused(asked.order_id, "no_price")
        return opposite[0][0]

    def _trailing(self, contract: IbContract, asked: AskedOrder) -> int:
        """Return how far a trailing stop stays behind: an amount, or a percentage of the price now."""
        percent, amount = asked.number("trailingPercent"), asked.number("auxPrice")
        instrument = contract.instrument
        if percent is not None and percent > 0:
            mark = self._side.venue.ticker(instrument.instrument_id).mark_price
            if not mark:
                raise refused(asked.order_id, "no_price")
            amount = instrument.price_grid.to_decimal(mark) * min(percent, _HUNDRED) / _HUNDRED
            return max(1, instrument.price_grid.round(amount))
        if amount is None or amount <= 0:
            name = "auxPrice or trailingPercent"
            raise refused(asked.order_id, "missing", order_type=asked.text("orderType"), name=name)
        return self._price(contract, asked, "auxPrice")

    def _time(
        self, contract: IbContract, asked: AskedOrder, order_type: OrderType, now_ns: int
    ) -> tuple[TimeInForce, int]:
        name = asked.text("tif").upper() or "DAY"
        time_in_force = _TIMES.get(name)
        at_once = name in ("FOK", OPENING)
        if time_in_force is None or (at_once and order_type not in _FILLED_OR_NOT):
            raise refused(asked.order_id, "time_in_force", tif=name[:10], order_type=asked.text("orderType"))
        if name == "DAY":
            return time_in_force, self._hours.day_end_ns(contract, now_ns, outside=asked.flag("outsideRth"))
        if name != "GTD":
            return time_in_force, 0
        text = asked.text("goodTillDate")
        end_ns = moment_ns(asked.order_id, text, contract.zone, end_of_day=True)
        if end_ns <= now_ns:
            raise refused(asked.order_id, "past", text=text[:40])
        return time_in_force, end_ns

    @staticmethod
    def _display(contract: IbContract, asked: AskedOrder, order_type: OrderType, quantity: int) -> int:
        """Return how much of an order is shown, 0 for all; of a hidden one the venue shows the least that it can."""
        instrument, shown = contract.instrument, asked.whole("displaySize")
        if not shown and not asked.flag("hidden"):
            return 0
        if not order_type.needs_price or asked.text("tif").upper() in (*AT_ONCE, OPENING):
            raise refused(asked.order_id, "unsupported", what="hiding a part of an order that cannot rest")
        if not shown:
            return instrument.lot_units
        try:
            units = instrument.quantity_units(shown)
        except OffGrid as off:
            raise refused(asked.order_id, "lot", size=shown, below=off.below, above=off.above) from None
        if units <= 0:
            raise refused(asked.order_id, "field", name="displaySize", text=shown)
        return min(units, quantity)
