"""The exchange of the demo: served over Binance's own protocol on loopback, with trading agents and one customer, ourselves."""

from decimal import Decimal
from secrets import token_hex

from foxtrot.adapter.base_adapter import Setting
from foxtrot.app.demo_market import DemoMarket
from foxtrot.exchange.events import OrderFilled, TradePrinted, VenueEvent
from foxtrot.exchange.faults import Fault
from foxtrot.exchange.reports import OrderReport
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.server_settings import AccountSetup, ServerPorts, ServerSettings
from foxtrot.exchange.wire.binance.venue_side import ApiKey
from foxtrot.trading.audit import AccountState

AGENTS = 12
BALANCES = {"USDT": Decimal(1_000_000), "BTC": Decimal(10)}
LONGEST_ABSENCE_S = 0.1
"""On a machine that is busy with other things the market is slower; its messages stay young."""
KEY_VARIABLE, SECRET_VARIABLE = "FOXTROT_DEMO_KEY", "FOXTROT_DEMO_SECRET"
STOP_DEADLINE_S = 5.0


class DemoExchange:
    """An ExchangeServer for spot with one account of ours, and what a judge asks of it.

    Thread: made, started, asked and stopped by main; events are counted by exchange-io.

    Args:
        account: the name of our account.
        market: what else is traded, how long it has been; by default two symbols that begin now.
    """

    def __init__(self, account: str, market: DemoMarket | None = None) -> None:
        self.account = account
        self.market = market or DemoMarket()
        self.prints = 0
        self._key = ApiKey(token_hex(32), account, token_hex(32))
        setup = AccountSetup(account, (self._key,), BALANCES, products=("spot",))
        self.server = ExchangeServer(
            ServerSettings(
                ports=ServerPorts(binance_spot=0),
                accounts=(setup,),
                agents=AGENTS,
                longest_absence_s=LONGEST_ABSENCE_S,
                instruments=self.market.instruments,
                prices=self.market.prices,
                shares=self.market.shares,
                past_hours=self.market.past_hours,
            )
        )
        host = self.server.host
        host.observers = (*host.observers, self._on_event)

    @property
    def settings(self) -> dict[str, Setting]:
        """Return what an account of the Binance adapter is set to."""
        port = self.server.ports["binance_spot"] or 0
        return {"product": "spot", "port": port, "api_key_env": KEY_VARIABLE, "api_secret_env": SECRET_VARIABLE}

    @property
    def environment(self) -> dict[str, str]:
        """Return the variables that hold its keys, which are good for this exchange only."""
        return {KEY_VARIABLE: self._key.api_key, SECRET_VARIABLE: self._key.secret}

    @property
    def agents(self) -> dict[str, str]:
        """Return the other traders: account → kind."""
        return dict(self.server.host.traders)

    def start(self) -> None:
        """Listen.

        Blocks: until it accepts.
        """
        self.server.start()

    def stop(self) -> str:
        """Close every socket and end the thread; returns its name if it overran, or "".

        Blocks: at most STOP_DEADLINE_S.
        """
        return self.server.stop(STOP_DEADLINE_S)

    def inject(self, fault: Fault) -> None:
        """Let something go wrong."""
        self.server.inject(fault)

    def last_trade_id(self, instrument_id: str) -> int:
        """Return the id of the last public trade of an instrument, 0 before the first."""
        trades = self.server.call(lambda server: server.host.venue.trades(instrument_id, 1))
        return trades[-1].trade_id if trades else 0

    def truth(self) -> AccountState:
        """Return our account as the venue itself has it, past every protocol."""
        return self.server.call(self._truth)

    def _truth(self, server: ExchangeServer) -> AccountState:
        venue, name = server.host.venue, self.account
        return AccountState(
            {one.client_order_id: _order_text(one) for one in venue.open_orders(name)},
            {fill_name(str(one.trade_id), one.client_order_id): _fill_text(one) for one in venue.fills(name)},
            {},
            {asset: total for asset, (total, _) in venue.balances(name).items()},
        )

    def _on_event(self, event: VenueEvent) -> None:
        self.prints += type(event) is TradePrinted


def fill_name(trade_id: str, order_id: str) -> str:
    """Return what a fill is called where two sides are compared."""
    return f"{trade_id} of {order_id}"


def order_units_text(quantity: int, filled: int) -> str:
    """Return an open order in units of its grid."""
    return f"{filled} of {quantity} units filled"


def fill_units_text(quantity: int, price: int, fee: Decimal, asset: str) -> str:
    """Return a fill in units of its grids."""
    return f"{quantity} units at {price}, fee {fee.normalize():f} {asset if fee else ''}"


def _order_text(order: OrderReport) -> str:
    return order_units_text(order.quantity, order.filled)


def _fill_text(fill: OrderFilled) -> str:
    return fill_units_text(fill.fill_quantity, fill.fill_price, fill.fee, fill.fee_asset)
