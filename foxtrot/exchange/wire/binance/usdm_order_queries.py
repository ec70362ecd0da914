"""Questions about USD-M orders and trades."""

from foxtrot.domain.enums import Liquidity, OrderStatus, Side
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.events import OrderFilled
from foxtrot.exchange.reports import OrderReport
from foxtrot.exchange.wire.binance.endpoint import Call
from foxtrot.exchange.wire.binance.numbers import decimal_text, notional_text, price_text, quantity_text
from foxtrot.exchange.wire.binance.usdm_desk import MS_NS, UsdmDesk
from foxtrot.exchange.wire.binance.usdm_errors import no_such_order
from foxtrot.exchange.wire.binance.usdm_order_rows import LIQUIDATION_PREFIX, POSITION_SIDE_TEXT, SIDE_TEXT, query_row
from foxtrot.exchange.wire.binance.usdm_orders import find_order
from foxtrot.exchange.wire.binance.usdm_page import Row, page
from foxtrot.exchange.wire.binance.usdm_params import Params
from foxtrot.exchange.wire.binance.usdm_profits import Profits

_ENDED = frozenset({OrderStatus.FILLED, OrderStatus.CANCELLED, OrderStatus.EXPIRED})


class UsdmOrderQueries:
    """Answers about orders and trades.

    Thread: exchange-io.
    """

    def __init__(self, desk: UsdmDesk, profits: Profits) -> None:
        self._desk = desk
        self._profits = profits

    def order(self, call: Call) -> Row:
        """Return one order, open or ended.

        Source: Binance USDⓈ-M Futures, Query Order; ws-fapi order.status.
        """
        instrument, found = self._find(call)
        return self._row(instrument, found)

    def open_order(self, call: Call) -> Row:
        """Return one order while it is open.

        Source: Binance USDⓈ-M Futures, Query Current Open Order.
        """
        instrument, found = self._find(call)
        if found.status in _ENDED:
            raise no_such_order()
        return self._row(instrument, found)

    def open_orders(self, call: Call) -> list[Row]:
        """Return the open orders of one symbol or of all.

        Source: Binance USDⓈ-M Futures, Current All Open Orders.
        """
        params = Params(call.params)
        wanted = self._desk.side.instrument(params.text("symbol")).instrument_id if params.has("symbol") else ""
        rows: list[Row] = []
        for report in self._desk.venue.open_orders(call.account, wanted):
            instrument = self._desk.named(report.instrument_id)
            if instrument is not None:
                rows.append(self._row(instrument, report))
        return rows

    def all_orders(self, call: Call) -> list[Row]:
        """Return the orders of a symbol, open and ended, by order id.

        Source: Binance USDⓈ-M Futures, All Orders.
        """
        params = Params(call.params)
        instrument = self._desk.side.instrument(params.needed("symbol"))
        reports = self._desk.venue.all_orders(call.account, instrument.instrument_id)
        rows = [self._row(instrument, report) for report in reports]
        return page(rows, params, identity="orderId", from_name="orderId")

    def liquidations(self, call: Call) -> list[Row]:
        """Return the orders with which the venue liquidated the account.

        Source: Binance USDⓈ-M Futures, User's Force Orders.
        """
        params = Params(call.params)
        symbol = params.text("symbol")
        wanted = [self._desk.side.instrument(symbol)] if symbol else list(self._desk.side.symbols().values())
        rows = [
            self._row(instrument, report)
            for instrument in wanted
            for report in self._desk.venue.all_orders(call.account, instrument.instrument_id)
            if report.client_order_id.startswith(LIQUIDATION_PREFIX)
        ]
        return page(rows, params, identity="orderId", from_name="orderId", default=50)

    def trades(self, call: Call) -> list[Row]:
        """Return the account's trades on a symbol, oldest first.

        Source: Binance USDⓈ-M Futures, Account Trade List.
        """
        params = Params(call.params)
        instrument = self._desk.side.instrument(params.needed("symbol"))
        wanted = params.integer("orderId")
        rows = [
            self._trade(instrument, fill)
            for fill in self._desk.venue.fills(call.account)
            if fill.instrument_id == instrument.instrument_id and wanted in (0, fill.order_id)
        ]
        return page(rows, params, identity="id", from_name="fromId")

    def _find(self, call: Call) -> tuple[Instrument, OrderReport]:
        params = Params(call.params)
        instrument = self._desk.side.instrument(params.needed("symbol"))
        found = find_order(self._desk, call.account, instrument, params)
        if found is None:
            raise no_such_order()
        return instrument, found

    def _row(self, instrument: Instrument, report: OrderReport) -> Row:
        return query_row(instrument, report, self._desk.note(report.order_id))

    def _trade(self, instrument: Instrument, fill: OrderFilled) -> Row:
        maker, buyer = fill.liquidity is Liquidity.MAKER, fill.side is Side.BUY
        return {
            "symbol": instrument.symbol,
            "id": fill.trade_id,
            "orderId": fill.order_id,
            "side": SIDE_TEXT[fill.side],
            "price": price_text(instrument, fill.fill_price),
            "qty": quantity_text(instrument, fill.fill_quantity),
            "realizedPnl": decimal_text(self._profits.of(fill)),
            "quoteQty": notional_text(instrument, fill.fill_price * fill.fill_quantity),
            "commission": decimal_text(fill.fee),
            "commissionAsset": fill.fee_asset,
            "time": fill.time_ns // MS_NS,
            "positionSide": POSITION_SIDE_TEXT[fill.position_side],
            "buyer": buyer,
            "maker": maker,
        }
