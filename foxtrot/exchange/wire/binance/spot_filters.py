"""What a spot symbol demands of an order before it reaches the matching, and the venue's command that comes of it."""

from decimal import Decimal

from foxtrot.domain.enums import Side
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.commands import PlaceOrder
from foxtrot.exchange.result import ResultCode
from foxtrot.exchange.wire.binance.api_error import ApiError
from foxtrot.exchange.wire.binance.order_errors import WOULD_TRIGGER, filter_failure, refused
from foxtrot.exchange.wire.binance.spot_order_request import STP_MODES, OrderAsk
from foxtrot.exchange.wire.binance.venue_side import VenueSide

MAX_PRICE = Decimal(1_000_000)
ICEBERG_PARTS = 10_000
"""The highest price and the most parts of an iceberg, as exchangeInfo tells them."""

_TRAILING_LOW, _TRAILING_HIGH = 10, 2_000
_BIPS = 10_000
_NO_TRAILING = "Trailing stop orders are not supported for this symbol."
_QUANTITY_CODES = frozenset({ResultCode.FILTER_QUANTITY_LOW, ResultCode.FILTER_QUANTITY_HIGH, ResultCode.FILTER_LOT})


class SpotFilters:
    """Judges orders by their symbol's filters and words them for the venue.

    Thread: exchange-io.
    """

    def __init__(self, side: VenueSide) -> None:
        self._venue = side.venue

    def command(self, ask: OrderAsk, account: str, client_id: str, time_ns: int) -> PlaceOrder:
        """Return the command of an order that passes every filter; money and book are looked at by the venue.

        Source: Binance spot API, Filters; errors: -1013, -2010.

        Raises:
            ApiError: the filter that it fails.
        """
        instrument = ask.instrument
        quantity = ask.quantity or self._bought_for(ask)
        order = PlaceOrder(
            time_ns, account, instrument.instrument_id, client_id, ask.side, ask.order_type, quantity, ask.price,
            ask.stop_price, ask.time_in_force, post_only=ask.type_name == "LIMIT_MAKER", trailing_offset=self._offset(ask),
            display_quantity=ask.iceberg, stp=STP_MODES[ask.stp], expire_unfillable=True,
        )  # fmt: skip
        if max(ask.price, ask.stop_price) > instrument.price_grid.round(MAX_PRICE):
            raise filter_failure("PRICE_FILTER")
        self._check_iceberg(ask)
        refusal = self._venue.filter_refusal(order)
        if refusal is not None:
            if ask.type_name == "MARKET" and refusal.code in _QUANTITY_CODES and not ask.quote_quantity:
                raise filter_failure("LOT_SIZE" if refusal.code is ResultCode.FILTER_LOT else "MARKET_LOT_SIZE")
            raise refused(refusal)
        if ask.is_conditional:
            self._check_trigger(ask, account)
        return order

    def _check_iceberg(self, ask: OrderAsk) -> None:
        if ask.iceberg > ask.quantity:
            raise ApiError(-2010, "IcebergQty exceeds QTY.")
        if ask.iceberg and -(-ask.quantity // ask.iceberg) > ICEBERG_PARTS:
            raise filter_failure("ICEBERG_PARTS")

    def _check_trigger(self, ask: OrderAsk, account: str) -> None:
        instrument = ask.instrument
        waiting = sum(order.pending for order in self._venue.open_orders(account, instrument.instrument_id))
        if 0 < instrument.max_open_orders <= waiting:
            raise filter_failure("MAX_NUM_ALGO_ORDERS")
        last, stop = self._venue.ticker(instrument.instrument_id).last_price, ask.stop_price
        if not last or not stop:
            return
        rises = (ask.side is Side.BUY) is ask.type_name.startswith("STOP")
        if last >= stop if rises else last <= stop:
            raise ApiError(-2010, WOULD_TRIGGER)

    def _offset(self, ask: OrderAsk) -> int:
        """Return the trailing distance in price units, taken of the price at entry."""
        if not ask.trailing_bips:
            return 0
        if ask.type_name != "STOP_LOSS" or ask.stop_price:
            raise ApiError(-2010, _NO_TRAILING)
        if not _TRAILING_LOW <= ask.trailing_bips <= _TRAILING_HIGH:
            raise filter_failure("TRAILING_DELTA")
        last = self._venue.ticker(ask.instrument.instrument_id).last_price
        if not last:
            raise ApiError(-2010, _NO_TRAILING)
        return max(1, last * ask.trailing_bips // _BIPS)

    def _bought_for(self, ask: OrderAsk) -> int:
        """Return the whole lots that a quote quantity buys (or sells for) on the book as it shows itself now."""
        instrument = ask.instrument
        if ask.quote_quantity < instrument.min_notional:
            raise filter_failure("NOTIONAL")
        _, bids, asks = self._venue.depth(instrument.instrument_id)
        rows = asks if ask.side is Side.BUY else bids
        if not rows:
            raise ApiError(-2010, "Order book liquidity is less than symbol minimum quantity.")
        units = _lots_for(instrument, rows, int(ask.quote_quantity / instrument.notional(1, 1)))
        if units < max(instrument.min_quantity_units, 1):
            raise filter_failure("LOT_SIZE")
        return units


def _lots_for(instrument: Instrument, rows: tuple[tuple[int, int], ...], money: int) -> int:
    """Return whole lots for money in units of price times quantity; what the book does not have counts at its last price."""
    units, price = 0, rows[-1][0]
    for level, shown in rows:
        taken = min(shown, money // level)
        units += taken
        money -= taken * level
        if taken < shown:
            return units - units % instrument.lot_units
    units += money // price
    return units - units % instrument.lot_units
