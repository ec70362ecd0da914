"""USD-M's trading surface on a real venue: calls go through the rows of its table, events are told as the server tells them."""

from decimal import Decimal
from typing import Any

import pytest

from foxtrot.domain.enums import OrderType, Product, Side
from foxtrot.domain.fees import FeeSchedule
from foxtrot.exchange.commands import (
    AddInstrument,
    AdvanceTime,
    Deposit,
    OpenAccount,
    PlaceOrder,
    SetMarkPrice,
    VenueCommand,
)
from foxtrot.exchange.events import VenueEvent
from foxtrot.exchange.listings import listing
from foxtrot.exchange.result import CommandResult
from foxtrot.exchange.venue import Venue
from foxtrot.exchange.wire.binance.api_error import ApiError
from foxtrot.exchange.wire.binance.endpoint import Call
from foxtrot.exchange.wire.binance.usdm_trading import UsdmTrading
from foxtrot.exchange.wire.binance.venue_side import ApiKey, VenueSide

BTC = "BTCUSDT.BINANCE_USDM"
START_NS = 1_700_000_000_000 * 1_000_000
Answer = Any
Event = dict[str, Any]


class UsdmRig:
    """Account alice with a key and 10,000 USDT, a market maker without one; prices in 0.1, quantities in 0.001 BTC."""

    def __init__(self, *, fees: FeeSchedule | None = None) -> None:
        self.now_ns = START_NS
        self.heard: list[VenueEvent] = []
        self.told: list[tuple[str, Event]] = []
        self.venue = Venue(self.heard.append)
        self.count = 0
        charged = fees or FeeSchedule.percentage("0.0002", "0.0005")
        for name in (BTC, "ETHUSDT.BINANCE_USDM", "BTCUSDT.BINANCE"):
            assert self.venue.execute(AddInstrument(START_NS, listing(name), fees=charged)).ok
        self.side = VenueSide(Product.PERPETUAL, self.venue, lambda: self.now_ns)
        self.side.add_key(ApiKey("K", "alice", "S"))
        self.trading = UsdmTrading(self.side, self)
        self.routes = self.trading.routes()
        for name, funds in (("alice", 10_000), ("maker", 100_000_000)):
            self.execute(OpenAccount(self.now_ns, name))
            self.execute(Deposit(self.now_ns, name, "USDT", Decimal(funds)))
        self.execute(Deposit(self.now_ns, "alice", "BTC", Decimal(1)))
        self.told.clear()

    def deliver(self, account: str, payload: dict[str, object]) -> None:
        """Keep what an account would hear."""
        self.told.append((account, payload))

    def drain(self) -> None:
        """Tell the surface what the venue has told, and what comes of that."""
        while self.heard:
            heard, self.heard[:] = list(self.heard), []
            for event in heard:
                self.trading.on_event(event)

    def execute(self, command: VenueCommand) -> CommandResult:
        """Give the venue a command from elsewhere."""
        result = self.venue.execute(command)
        self.drain()
        return result

    def call(self, method: str, path: str, /, **params: object) -> Answer:
        """Call an endpoint as alice; Foxtrot's gateway has looked at key, time and signature."""
        endpoint = self.routes[method, path if method == "WS" else f"/fapi/{path}"]
        texts = {name: str(value) for name, value in params.items()}
        for name in endpoint.required:
            assert name in texts, f"the test forgot {name}"
        try:
            return endpoint.handler(Call(texts, "alice", self.now_ns, "K"))
        finally:
            self.drain()

    def refusal(self, method: str, path: str, /, **params: object) -> tuple[int, str]:
        """Call an endpoint that refuses; return code and text."""
        with pytest.raises(ApiError) as caught:
            self.call(method, path, **params)
        return caught.value.code, caught.value.msg

    def order(self, side: str = "BUY", quantity: object = "0.010", price: object = "50000", **more: object) -> Answer:
        """Enter a limit order, or a market order with price None."""
        terms: dict[str, object] = {"symbol": "BTCUSDT", "side": side, "quantity": quantity}
        if price is None:
            terms |= {"type": "MARKET"}
        else:
            terms |= {"type": "LIMIT", "price": price, "timeInForce": "GTC"}
        return self.call("POST", "v1/order", **(terms | {"newOrderRespType": "RESULT"} | more))

    def order_refusal(self, **terms: object) -> tuple[int, str]:
        """Enter an order that is refused; return code and text."""
        with pytest.raises(ApiError) as caught:
            self.order(**terms)  # type: ignore[arg-type]
        return caught.value.code, caught.value.msg

    def algo(self, **terms: object) -> Answer:
        """Enter a conditional order: a stop that sells 0.010 below 45,000 unless told otherwise."""
        usual: dict[str, object] = {
            "algoType": "CONDITIONAL",
            "symbol": "BTCUSDT",
            "side": "SELL",
            "type": "STOP_MARKET",
            "triggerPrice": "45000",
            "quantity": "0.010",
        }
        sent = {name: value for name, value in (usual | terms).items() if value is not None}
        return self.call("POST", "v1/algoOrder", **sent)

    def quote(self, side: Side, quantity: int, price: int, instrument_id: str = BTC) -> int:
        """Let the maker enter a limit order (in units) and return its id."""
        self.count += 1
        kind = OrderType.LIMIT if price else OrderType.MARKET
        order = PlaceOrder(self.now_ns, "maker", instrument_id, f"m{self.count}", side, kind, quantity, price)
        result = self.execute(order)
        assert result.ok, result
        return result.order_id

    def trade_at(self, price: int) -> None:
        """Let two strangers trade one unit at a price."""
        if "other" not in self.venue.accounts():
            self.execute(OpenAccount(self.now_ns, "other", margin_checked=False))
        self.count += 1
        for account, side in (("maker", Side.SELL), ("other", Side.BUY)):
            order = PlaceOrder(self.now_ns, account, BTC, f"t{self.count}", side, OrderType.LIMIT, 1, price)
            assert self.execute(order).ok

    def hold(self, side: str = "BUY", quantity: int = 10, price: int = 500_000) -> None:
        """Let alice take a position from the maker, and forget the events of it."""
        self.quote(Side.SELL if side == "BUY" else Side.BUY, quantity, price)
        self.order(side, Decimal(quantity) / 1000, None)
        self.told.clear()

    def mark(self, price: int) -> None:
        """Set the mark price."""
        self.execute(SetMarkPrice(self.now_ns, BTC, price))

    def wait(self, seconds: float) -> None:
        """Let time pass on the venue and on the surface."""
        self.now_ns += int(seconds * 1_000_000_000)
        self.execute(AdvanceTime(self.now_ns))
        self.trading.tick(self.now_ns)
        self.drain()

    def events(self, *kinds: str) -> list[Event]:
        """Return what alice has heard, in order, of some kinds or of all."""
        return [event for account, event in self.told if account == "alice" and (not kinds or event["e"] in kinds)]

    def kinds(self) -> list[str]:
        """Return the kinds of what alice has heard; an order update with its execution type."""
        return [
            f"{event['e']}:{event['o']['x']}" if "x" in event.get("o", {}) else event["e"] for event in self.events()
        ]
