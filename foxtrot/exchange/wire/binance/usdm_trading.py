"""The trading side of USD-M: every signed endpoint that trades or reads an account, and the user-data events."""

from collections.abc import Callable
from typing import Protocol

from foxtrot.exchange.events import MarkPriceChanged, TradePrinted, VenueEvent
from foxtrot.exchange.wire.binance.api_error import ApiError
from foxtrot.exchange.wire.binance.endpoint import Call, Endpoint, Routes, Security
from foxtrot.exchange.wire.binance.key_rights import key_rights
from foxtrot.exchange.wire.binance.usdm_account import UsdmAccount
from foxtrot.exchange.wire.binance.usdm_algo_book import AlgoBook
from foxtrot.exchange.wire.binance.usdm_algo_orders import UsdmAlgoOrders
from foxtrot.exchange.wire.binance.usdm_batches import UsdmBatches
from foxtrot.exchange.wire.binance.usdm_countdown import Countdowns
from foxtrot.exchange.wire.binance.usdm_desk import MS_NS, UsdmDesk
from foxtrot.exchange.wire.binance.usdm_income import IncomeLog
from foxtrot.exchange.wire.binance.usdm_order_queries import UsdmOrderQueries
from foxtrot.exchange.wire.binance.usdm_orders import UsdmOrders
from foxtrot.exchange.wire.binance.usdm_profits import Profits
from foxtrot.exchange.wire.binance.usdm_settings import UsdmSettings
from foxtrot.exchange.wire.binance.usdm_user_stream import UsdmUserStream
from foxtrot.exchange.wire.binance.venue_side import VenueSide

_Handler = Callable[[Call], object]
_ORDER = ("symbol", "side", "type")


class Channels(Protocol):
    """The ways by which accounts hear of themselves."""

    def deliver(self, account: str, payload: dict[str, object]) -> None:
        """Send one event to everyone who listens to an account.

        Source: Binance USDⓈ-M Futures, User Data Streams.
        """
        ...


class UsdmTrading:
    """Orders, conditional orders, account, settings and user-data events of USD-M.

    Thread: exchange-io.
    """

    def __init__(self, side: VenueSide, channels: Channels) -> None:
        self._desk = desk = UsdmDesk(side)
        profits = Profits(desk)
        self._income = IncomeLog(desk)
        self._account = UsdmAccount(desk)
        self._stream = UsdmUserStream(desk, profits, self._income, self._account, channels.deliver)
        self._algo_book = AlgoBook(desk, self._stream.tell)
        self._stream.follow(self._algo_book)
        self._orders = UsdmOrders(desk)
        self._batches = UsdmBatches(self._orders)
        self._queries = UsdmOrderQueries(desk, profits)
        self._algos = UsdmAlgoOrders(desk, self._algo_book)
        self._settings = UsdmSettings(desk)
        self._countdowns = Countdowns(desk)

    def routes(self) -> Routes:
        """Return every endpoint of this part.

        Source: Binance USDⓈ-M Futures, Trade and Account endpoints, REST and WebSocket API.
        """
        rows = self._order_rows() | self._query_rows() | self._algo_rows()
        return rows | self._account_rows() | self._setting_rows() | self._ws_rows()

    def on_event(self, event: VenueEvent) -> None:
        """Take one event of the venue, after the command that made it has returned.

        Source: Binance USDⓈ-M Futures, User Data Streams.
        """
        self._stream.hear(event)
        if isinstance(event, TradePrinted):
            self._algo_book.hear_trade(event.instrument_id, event.price)
        elif isinstance(event, MarkPriceChanged):
            self._algo_book.hear_mark(event.instrument_id, event.price)
        if event.sequence >= self._desk.venue.sequence:
            self._settle()

    def tick(self, now_ns: int) -> None:
        """Do what is due: countdowns, ends of conditional orders, whatever was not yet told.

        Source: Binance USDⓈ-M Futures, Auto-Cancel All Open Orders; New Algo Order, goodTillDate.
        """
        self._countdowns.tick(now_ns)
        self._algo_book.expire(now_ns // MS_NS)
        self._settle()

    def _settle(self) -> None:
        self._stream.flush()
        self._algo_book.fire()
        self._stream.flush()

    def _order_rows(self) -> Routes:
        orders, batches, path = self._orders, self._batches, "/fapi/v1/order"
        symbol = ("symbol",)
        return {
            ("POST", path): self._trade(orders.place, _ORDER, 0),
            ("PUT", path): self._trade(orders.modify, ("symbol", "side")),
            ("DELETE", path): self._trade(orders.cancel, symbol, counts_order=False),
            ("POST", "/fapi/v1/order/test"): self._trade(orders.test, _ORDER, 0, counts_order=False),
            ("POST", "/fapi/v1/batchOrders"): self._trade(batches.place, ("batchOrders",), 5),
            ("PUT", "/fapi/v1/batchOrders"): self._trade(batches.modify, ("batchOrders",), 5),
            ("DELETE", "/fapi/v1/batchOrders"): self._trade(batches.cancel, symbol, counts_order=False),
            ("DELETE", "/fapi/v1/allOpenOrders"): self._trade(orders.cancel_all, symbol, counts_order=False),
            ("POST", "/fapi/v1/countdownCancelAll"): self._trade(
                self._countdowns.set, ("symbol", "countdownTime"), 10, counts_order=False
            ),
        }

    def _query_rows(self) -> Routes:
        queries, symbol = self._queries, ("symbol",)
        return {
            ("GET", "/fapi/v1/order"): _signed(queries.order, symbol),
            ("GET", "/fapi/v1/openOrder"): _signed(queries.open_order, symbol),
            ("GET", "/fapi/v1/openOrders"): _signed(queries.open_orders, weight=_open_weight),
            ("GET", "/fapi/v1/allOrders"): _signed(queries.all_orders, symbol, 5),
            ("GET", "/fapi/v1/userTrades"): _signed(queries.trades, symbol, 5),
            ("GET", "/fapi/v1/forceOrders"): _signed(queries.liquidations, weight=_liquidation_weight),
        }

    def _algo_rows(self) -> Routes:
        algos, path = self._algos, "/fapi/v1/algoOrder"
        return {
            ("POST", path): self._trade(algos.place, ("algoType", *_ORDER), 0),
            ("DELETE", path): self._trade(algos.cancel, counts_order=False),
            ("GET", path): _signed(algos.order),
            ("GET", "/fapi/v1/openAlgoOrders"): _signed(algos.open_orders, weight=_open_weight),
            ("GET", "/fapi/v1/allAlgoOrders"): _signed(algos.all_orders, ("symbol",), 5),
            ("DELETE", "/fapi/v1/algoOpenOrders"): self._trade(algos.cancel_all, ("symbol",), counts_order=False),
        }

    def _account_rows(self) -> Routes:
        account = self._account
        return {
            ("GET", "/fapi/v1/account"): _signed(account.account_v2, weight=5),
            ("GET", "/fapi/v2/account"): _signed(account.account_v2, weight=5),
            ("GET", "/fapi/v3/account"): _signed(account.account_v3, weight=5),
            ("GET", "/fapi/v1/balance"): _signed(account.balance, weight=5),
            ("GET", "/fapi/v2/balance"): _signed(account.balance, weight=5),
            ("GET", "/fapi/v3/balance"): _signed(account.balance, weight=5),
            ("GET", "/fapi/v1/positionRisk"): _signed(account.risk_v2, weight=5),
            ("GET", "/fapi/v2/positionRisk"): _signed(account.risk_v2, weight=5),
            ("GET", "/fapi/v3/positionRisk"): _signed(account.risk_v3, weight=5),
            ("GET", "/fapi/v1/income"): _signed(self._income.income, weight=30),
            ("GET", "/sapi/v1/account/apiRestrictions"): _signed(self._rights),
        }

    def _rights(self, call: Call) -> dict[str, object]:
        return key_rights(self._desk.side.keys[call.api_key])

    def _setting_rows(self) -> Routes:
        one, symbol, mode = self._settings, ("symbol",), "/fapi/v1/positionSide/dual"
        assets = "/fapi/v1/multiAssetsMargin"
        return {
            ("POST", "/fapi/v1/leverage"): self._trade(one.set_leverage, ("symbol", "leverage"), counts_order=False),
            ("POST", "/fapi/v1/marginType"): self._trade(
                one.set_margin_type, ("symbol", "marginType"), counts_order=False
            ),
            ("POST", mode): self._trade(one.set_position_mode, ("dualSidePosition",), counts_order=False),
            ("GET", mode): _signed(one.position_mode, weight=30),
            ("GET", "/fapi/v1/leverageBracket"): _signed(one.brackets),
            ("GET", "/fapi/v1/symbolConfig"): _signed(one.symbol_config, weight=5),
            ("GET", "/fapi/v1/accountConfig"): _signed(one.account_config, weight=5),
            ("GET", "/fapi/v1/commissionRate"): _signed(one.commission_rate, symbol, 20),
            ("POST", "/fapi/v1/positionMargin"): self._trade(
                one.change_position_margin, ("symbol", "amount", "type"), counts_order=False
            ),
            ("GET", assets): _signed(one.multi_assets, weight=30),
            ("POST", assets): self._trade(one.set_multi_assets, ("multiAssetsMargin",), counts_order=False),
            ("GET", "/fapi/v1/apiTradingStatus"): _signed(one.trading_status),
            ("GET", "/fapi/v1/feeBurn"): _signed(one.fee_burn, weight=30),
            ("GET", "/fapi/v1/rateLimit/order"): _signed(one.order_limits),
        }

    def _ws_rows(self) -> Routes:
        orders, account, algos = self._orders, self._account, self._algos
        return {
            ("WS", "order.place"): self._trade(orders.place, _ORDER, 0),
            ("WS", "order.modify"): self._trade(orders.modify, ("symbol", "side")),
            ("WS", "order.cancel"): self._trade(orders.cancel, ("symbol",), counts_order=False),
            ("WS", "order.status"): _signed(self._queries.order, ("symbol",)),
            ("WS", "algoOrder.place"): self._trade(algos.place, ("algoType", *_ORDER), 0),
            ("WS", "algoOrder.cancel"): self._trade(algos.cancel, counts_order=False),
            ("WS", "account.balance"): _signed(account.balance, weight=5),
            ("WS", "v2/account.balance"): _signed(account.balance, weight=5),
            ("WS", "account.status"): _signed(account.account_v2, weight=5),
            ("WS", "v2/account.status"): _signed(account.account_v3, weight=5),
            ("WS", "account.position"): _signed(account.risk_v2, weight=5),
            ("WS", "v2/account.position"): _signed(account.risk_v3, weight=5),
        }

    def _trade(
        self, handler: _Handler, required: tuple[str, ...] = (), weight: int = 1, *, counts_order: bool = True
    ) -> Endpoint:
        def guarded(call: Call) -> object:
            key = self._desk.side.keys.get(call.api_key)
            if key is not None and not key.can_trade:
                raise ApiError(-2015, "Invalid API-key, IP, or permissions for action.", 401)
            answer = handler(call)
            self._stream.flush()
            return answer

        return Endpoint(guarded, Security.SIGNED, weight, counts_order, required)


def _signed(handler: _Handler, required: tuple[str, ...] = (), weight: int | Callable[[Call], int] = 1) -> Endpoint:
    return Endpoint(handler, Security.SIGNED, weight, False, required)


def _liquidation_weight(call: Call) -> int:
    return 20 if call.params.get("symbol") else 50


def _open_weight(call: Call) -> int:
    return 1 if call.params.get("symbol") else 40
