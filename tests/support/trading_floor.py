"""A venue with one instrument and some accounts, told what to do in few words; keeps every event."""

from collections.abc import Callable
from decimal import Decimal
from typing import Protocol

from foxtrot.domain.enums import OrderType, Side
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.commands import (
    AddInstrument,
    AdvanceTime,
    AmendOrder,
    CancelAll,
    CancelOrder,
    Deposit,
    OpenAccount,
    PlaceOrder,
    SetMarkPrice,
    VenueCommand,
)
from foxtrot.exchange.events import OrderFilled, TradePrinted, VenueEvent
from foxtrot.exchange.result import CommandResult
from foxtrot.exchange.venue import Venue

RICH = Decimal(1_000_000_000)


class AnyVenue(Protocol):
    """What the fast venue and the naive one have in common."""

    def execute(self, command: VenueCommand) -> CommandResult: ...

    def state_hash(self) -> str: ...

    def validate(self) -> None: ...


class TradingFloor:
    """One instrument, accounts made when first named; time moves on by 1 ns a command."""

    def __init__(
        self,
        instrument: Instrument,
        *,
        venue_class: Callable[[Callable[[VenueEvent], None]], Venue] = Venue,
        funds: dict[str, Decimal] | None = None,
        account: dict[str, object] | None = None,
        **listing: object,
    ) -> None:
        self.events: list[VenueEvent] = []
        self.venue = venue_class(self.events.append)
        self.instrument = instrument
        self.name = instrument.instrument_id
        self.now = 0
        self.orders = 0
        assets = {instrument.base_asset, instrument.quote_asset, instrument.settle_asset}
        self.funds = dict.fromkeys(sorted(assets), RICH) if funds is None else funds
        self.account = account or {}
        self.known: set[str] = set()
        assert self.venue.execute(AddInstrument(0, instrument, **listing)).ok  # type: ignore[arg-type]

    def tick(self) -> int:
        """Let a nanosecond pass."""
        self.now += 1
        return self.now

    def open(self, name: str, **changes: object) -> None:
        """Open and fund an account."""
        self.known.add(name)
        assert self.venue.execute(OpenAccount(self.tick(), name, **(self.account | changes))).ok  # type: ignore[arg-type]
        for asset, amount in self.funds.items():
            if amount:
                assert self.venue.execute(Deposit(self.tick(), name, asset, amount)).ok

    def place(self, account: str, side: Side, quantity: int, price: int = 0, **more: object) -> CommandResult:
        """Place an order: a limit with a price, else a market order; every attribute can be given."""
        if account not in self.known:
            self.open(account)
        self.orders += 1
        order_type = more.pop("order_type", OrderType.LIMIT if price else OrderType.MARKET)
        client_order_id = more.pop("client_order_id", f"c{self.orders}")
        command = PlaceOrder(
            self.tick(),
            account,
            self.name,
            client_order_id,
            side,
            order_type,
            quantity,
            price,
            **more,  # type: ignore[arg-type]
        )
        return self.venue.execute(command)

    def buy(self, account: str, quantity: int, price: int = 0, **more: object) -> CommandResult:
        """Place a buy."""
        return self.place(account, Side.BUY, quantity, price, **more)

    def sell(self, account: str, quantity: int, price: int = 0, **more: object) -> CommandResult:
        """Place a sell."""
        return self.place(account, Side.SELL, quantity, price, **more)

    def cancel(self, account: str, order_id: int) -> CommandResult:
        """Cancel by id."""
        return self.venue.execute(CancelOrder(self.tick(), account, self.name, order_id))

    def cancel_all(self, account: str) -> CommandResult:
        """Cancel all of an account."""
        return self.venue.execute(CancelAll(self.tick(), account))

    def amend(self, account: str, order_id: int, *, quantity: int = 0, price: int = 0) -> CommandResult:
        """Amend by id."""
        return self.venue.execute(AmendOrder(self.tick(), account, self.name, order_id, "", quantity, price))

    def mark(self, price: int) -> CommandResult:
        """Set the mark price."""
        return self.venue.execute(SetMarkPrice(self.tick(), self.name, price))

    def wait_until(self, time_ns: int) -> None:
        """Let time pass."""
        self.now = time_ns
        self.venue.execute(AdvanceTime(time_ns))

    def book(self) -> tuple[list[tuple[str, int, int]], list[tuple[str, int, int]]]:
        """Return bids and asks as (account, shown, price) in order of priority."""
        rows = self.venue.l3(self.name)
        shown = [(row.side, (row.account, row.shown, row.price)) for row in rows]
        return [row for side, row in shown if side is Side.BUY], [row for side, row in shown if side is Side.SELL]

    def trades(self) -> list[tuple[int, int]]:
        """Return all public trades as (price, quantity)."""
        return [(event.price, event.quantity) for event in self.events if isinstance(event, TradePrinted)]

    def fills(self, account: str) -> list[OrderFilled]:
        """Return all fills of an account."""
        return [event for event in self.events if isinstance(event, OrderFilled) and event.account == account]

    def told(self, kind: type[VenueEvent]) -> list[VenueEvent]:
        """Return all events of a kind."""
        return [event for event in self.events if type(event) is kind]

    def total(self, account: str, asset: str) -> Decimal:
        """Return a balance."""
        return self.venue.balances(account)[asset][0]

    def locked(self, account: str, asset: str) -> Decimal:
        """Return what is locked of a balance."""
        return self.venue.balances(account)[asset][1]
