"""The spot trading rows on a real venue with two customers, and what each of them hears."""

from collections.abc import Mapping
from decimal import Decimal

from foxtrot.domain.enums import Product
from foxtrot.domain.fees import FeeSchedule
from foxtrot.exchange.commands import AddInstrument, Deposit, OpenAccount
from foxtrot.exchange.events import VenueEvent
from foxtrot.exchange.listings import default_listings
from foxtrot.exchange.venue import Venue
from foxtrot.exchange.wire.binance.api_error import ApiError
from foxtrot.exchange.wire.binance.endpoint import Call
from foxtrot.exchange.wire.binance.spot_trading import SpotTrading
from foxtrot.exchange.wire.binance.venue_side import ApiKey, VenueSide

Row = dict[str, object]
START_NS = 1_700_000_000_000_000_000
BTC = "BTCUSDT"


class SpotRig:
    """Alice and Bob, each with a key and a million USDT and 100 BTC; no fees unless they are given.

    Thread: the test's.
    """

    def __init__(self, fees: FeeSchedule | None = None, fee_asset_mode: str = "received") -> None:
        self.queue: list[VenueEvent] = []
        self.heard: list[tuple[str, Row]] = []
        self.now_ns = START_NS
        self.venue = Venue(self.queue.append)
        self.side = VenueSide(Product.SPOT, self.venue, lambda: self.now_ns)
        for instrument in default_listings():
            self.venue.execute(AddInstrument(self.now_ns, instrument, fees=fees, fee_asset_mode=fee_asset_mode))
        for name in ("alice", "bob"):
            self.side.add_key(ApiKey(f"key-{name}", name, "secret"))
            self.venue.execute(OpenAccount(self.now_ns, name))
            for asset, amount in (("USDT", 1_000_000), ("BTC", 100)):
                self.venue.execute(Deposit(self.now_ns, name, asset, Decimal(amount)))
        self.trading = SpotTrading(self.side, self)
        self.routes = self.trading.routes()
        self.queue.clear()

    def deliver(self, account: str, payload: dict[str, object]) -> None:
        self.heard.append((account, payload))

    def pump(self) -> None:
        """Hand over what the venue told, as the server does after each operation."""
        events, self.queue[:] = list(self.queue), []
        for event in events:
            self.trading.on_event(event)

    def call(
        self, method: str, path: str, params: Mapping[str, object] | None = None, account: str = "alice"
    ) -> object:
        """Make one call a millisecond later; events follow even when it is refused."""
        self.now_ns += 1_000_000
        texts = {name: str(value) for name, value in (params or {}).items()}
        endpoint = self.routes[method, path]
        assert all(texts.get(name) for name in endpoint.required), "the gateway refuses this before the handler"
        try:
            return endpoint.handler(Call(texts, account, self.now_ns, f"key-{account}", method == "WS"))
        finally:
            self.pump()

    def row(self, method: str, path: str, account: str = "alice", **params: object) -> Row:
        answer = self.call(method, path, params, account)
        assert isinstance(answer, dict)
        return answer

    def rows(self, method: str, path: str, account: str = "alice", **params: object) -> list[Row]:
        answer = self.call(method, path, params, account)
        assert isinstance(answer, list)
        return answer

    def order(self, account: str = "alice", **params: object) -> Row:
        """Enter an order: a limit buy of 0.01 BTC at 40000 unless told otherwise; None leaves a parameter out."""
        base: dict[str, object] = {"symbol": BTC, "side": "BUY", "type": "LIMIT", "quantity": "0.01"}
        if params.get("type", "LIMIT") == "LIMIT":
            base |= {"price": "40000", "timeInForce": "GTC"}
        wanted = {name: value for name, value in (base | params).items() if value is not None}
        return self.row("POST", "/api/v3/order", account, **wanted)

    def refusal(self, method: str, path: str, account: str = "alice", **params: object) -> tuple[int, str]:
        """Return code and text with which a call is refused."""
        try:
            answer = self.call(method, path, params, account)
        except ApiError as error:
            return error.code, error.msg
        raise AssertionError(answer)

    def refused_order(self, account: str = "alice", **params: object) -> tuple[int, str]:
        try:
            answer = self.order(account, **params)
        except ApiError as error:
            return error.code, error.msg
        raise AssertionError(answer)

    def trade_at(self, price: str, quantity: str = "0.001") -> None:
        """Make one public trade: Bob sells to Alice."""
        self.order("bob", side="SELL", price=price, quantity=quantity)
        self.order("alice", price=price, quantity=quantity)
        self.heard.clear()

    def told(self, account: str, kind: str = "executionReport") -> list[Row]:
        return [payload for name, payload in self.heard if name == account and payload["e"] == kind]

    def balance(self, account: str, asset: str) -> tuple[str, str]:
        balances = self.row("GET", "/api/v3/account", account)["balances"]
        assert isinstance(balances, list)
        found = next(row for row in balances if row["asset"] == asset)
        return found["free"], found["locked"]
