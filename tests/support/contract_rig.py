"""What the contract suite needs to know about a venue: how to make its adapter, and how to play everybody else there."""

import abc
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, contextmanager
from decimal import Decimal
from typing import Self

import msgspec
import pytest

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.capabilities import Capabilities
from foxtrot.books.sequence import SequenceRule
from foxtrot.core.clock import ManualClock
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import OrderType, PositionMode, PositionSide, Side, TimeInForce
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import BarData
from foxtrot.domain.order import ApprovedOrder, CancelRequest
from foxtrot.domain.subscription import SubscribeRequest
from tests.support.recorder import Recorder

RETURNS_WITHIN_S = 1.0
"""How long a call may take while the venue does not move at all; one that waits for the venue takes for ever."""

Rows = tuple[tuple[int, int], ...]


class ContractRig(abc.ABC):
    """One venue, one account of ours and everybody else there. A rig of a new venue fills in the abstract methods.

    When a rig is made the market is open: `spot` and `contract` (a perpetual, where the account can trade one; where it
    can trade only one kind of product, both are of that kind) each have bids of 5,000 units at 9,900 and
    9,800, asks of 5,000 at 10,100 and 10,200, and a last trade of 1,000 at 10,000 (prices in 0.01, quantities in 0.001).
    Our account holds 100,000 of the quote and 10 of the base asset, all fees are above zero, and the adapter is not connected.

    Thread: the test's, unless a method says otherwise.
    """

    name: str
    account = "ours"
    io_thread: str
    """The thread on which the adapter publishes; "" when the caller's is the only one."""
    spot: Instrument
    contract: Instrument
    adapter: BaseAdapter
    heard: Recorder
    permit: SendPermit
    clock: ManualClock
    sequence_rule: SequenceRule
    """How the depth changes of this venue follow each other."""

    def __init__(self) -> None:
        self._orders = 0
        self._helpers: list[threading.Thread] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.discard()

    # --- the adapter ------------------------------------------------------------------------------------------------

    @abc.abstractmethod
    def new_adapter(self) -> BaseAdapter:
        """Make another adapter of our account, put it in place of `adapter` and record it in the same recorder."""

    @abc.abstractmethod
    def other_adapter(self) -> tuple[BaseAdapter, Recorder]:
        """Make and connect an adapter of another account that shares what accounts of this venue share."""

    @abc.abstractmethod
    def sibling(self, mode: PositionMode) -> "ContractRig":
        """Make a rig like this one, whose account has a position mode."""

    @abc.abstractmethod
    def discard(self) -> None:
        """End everything the rig and its adapters started, whatever state they are in."""

    @abc.abstractmethod
    def remains(self) -> list[str]:
        """Return what adapters left behind: threads, tasks, sockets, listeners, subscriptions."""

    @abc.abstractmethod
    def streams(self, instrument_id: str) -> int:
        """Return how many subscriptions to public trades of an instrument the venue serves us."""

    # --- time and the link ------------------------------------------------------------------------------------------

    @abc.abstractmethod
    def settle(self) -> None:
        """Wait until what was asked is answered and everything that is due by the clock is published."""

    @abc.abstractmethod
    def held(self) -> AbstractContextManager[None]:
        """Let nothing asked of the venue be done inside the block, and everything after it."""

    @abc.abstractmethod
    def lose_link(self, cause: str, delay_s: float = 5.0) -> None:
        """Cut the connection; the adapter may connect again after a delay by the clock."""

    @abc.abstractmethod
    def unready(self, request: SubscribeRequest) -> AbstractContextManager[None]:
        """Subscribe, and inside the block stay connected without a valid snapshot or quote, while what a caller asks is answered."""

    def silence(self) -> AbstractContextManager[None]:
        """Let orders reach the venue inside the block and no answer reach us; only where there is a network."""
        raise AssertionError(f"the rig {self.name} of a venue with a network must be able to withhold answers")

    # --- everybody else ---------------------------------------------------------------------------------------------

    @abc.abstractmethod
    def rest(self, side: Side, price: int, quantity: int, instrument: Instrument | None = None) -> int:
        """Let somebody else place a limit order that rests; returns the venue's id of it."""

    @abc.abstractmethod
    def take(self, side: Side, quantity: int, instrument: Instrument | None = None) -> None:
        """Let somebody else send a market order."""

    @abc.abstractmethod
    def withdraw(self, order_id: int, instrument: Instrument | None = None) -> None:
        """Let somebody else cancel what they rested."""

    @abc.abstractmethod
    def place_elsewhere(self, order_id: str, side: Side, price: int, quantity: int) -> None:
        """Place an order on our account by another client."""

    @abc.abstractmethod
    def cancel_elsewhere(self, order_id: str) -> None:
        """Cancel an order of our account by another client."""

    # --- what this venue can do -------------------------------------------------------------------------------------

    shortest_life_s: int = 10
    """How long an order with an end must live at least."""
    skips: Mapping[str, str] = {}
    """Tests that say nothing of this venue, each with the reason."""
    ticks_per_change: range = range(1, 2)
    """How many ticks one trade may bring: a venue that tells the book and the trade on two sockets may bring two."""

    def is_told_as(self, told: str, cause: str) -> bool:
        """Tell whether the cause of a loss is what the adapter can know of it; a cable that is cut says nothing."""
        return told == cause

    def refused_terms(self, why: str, terms: "dict[str, object]") -> "dict[str, object]":
        """Return the terms of an order that the venue refuses for a reason; skip where it has no such reason."""
        return terms

    def require_derivative(self) -> None:
        """Skip the running test where the account holds no positions but only assets."""
        if not self.contract.product.is_derivative:
            raise pytest.skip.Exception(f"{self.name}: an account here has no positions", _use_item_location=True)

    def landed(self) -> list[str]:
        """Return the same as `received` once everything that has left us has arrived."""
        return self.received()

    # --- the venue's truth ------------------------------------------------------------------------------------------

    @abc.abstractmethod
    def received(self) -> list[str]:
        """Return the ids of all our orders that reached the venue, refused ones included, as often as they did."""

    @abc.abstractmethod
    def open_orders(self) -> set[str]:
        """Return the ids of our open orders."""

    @abc.abstractmethod
    def fills(self) -> list[tuple[str, str, Decimal, str]]:
        """Return our fills, oldest first: trade id, order id, fee and fee asset."""

    @abc.abstractmethod
    def balances(self) -> dict[str, tuple[Decimal, Decimal]]:
        """Return our balances: total and locked by asset."""

    @abc.abstractmethod
    def positions(self) -> dict[tuple[str, PositionSide], float]:
        """Return our positions that are not flat."""

    @abc.abstractmethod
    def book(self, instrument: Instrument | None = None) -> tuple[Rows, Rows]:
        """Return bids and asks in units, best first."""

    @abc.abstractmethod
    def bars(self, interval: str) -> list[BarData]:
        """Return the closed bars of `spot` as the venue has them, oldest first, with no receive time."""

    # --- in common --------------------------------------------------------------------------------------------------

    @property
    def capabilities(self) -> Capabilities:
        """Return the row of the capability table."""
        return self.adapter.capabilities

    def require(self, field: str, value: object = None) -> None:
        """Skip the running test when a capability is absent: false, empty, or a set without a value."""
        has = getattr(self.capabilities, field)
        if not (has if value is None else value in has):
            wanted = field if value is None else f"{field} {value}"
            raise pytest.skip.Exception(f"{self.name}: the capability table says no {wanted}", _use_item_location=True)

    def connect(self) -> BaseAdapter:
        """Connect and wait for what that brings."""
        self.adapter.connect()
        self.settle()
        return self.adapter

    def restore_link(self, delay_s: float = 5.0) -> None:
        """Let the delay after a loss pass and wait for what that brings."""
        self.advance(delay_s)

    def advance(self, seconds: float) -> None:
        """Let time pass and wait for what that brings."""
        self.clock.advance(int(seconds * 1e9))
        self.settle()

    def order(
        self, side: Side = Side.BUY, quantity: int = 1_000, price: int = 9_950, **changes: object
    ) -> ApprovedOrder:
        """Make an approved limit order on `spot` that rests; without a price a market order; anything can be changed."""
        self._orders += 1
        order = ApprovedOrder(
            f"t-1-{self._orders}", "tester", self.account, self.spot.instrument_id, side,
            OrderType.LIMIT if price else OrderType.MARKET, quantity, price, 0, TimeInForce.GTC, False, False,
            PositionSide.NET, 0, 0, 0, self.clock.now_ns(), False,
        )  # fmt: skip
        return msgspec.structs.replace(order, **changes)

    def send(self, side: Side = Side.BUY, quantity: int = 1_000, price: int = 9_950, **changes: object) -> str:
        """Send such an order, wait for what that brings, and return its id."""
        order = self.order(side, quantity, price, **changes)
        self.adapter.send_order(order)
        self.settle()
        return order.order_id

    def cancel(self, order_id: str, instrument: Instrument | None = None) -> None:
        """Cancel and wait for what that brings."""
        self.adapter.cancel_order(CancelRequest(order_id, self.account, (instrument or self.spot).instrument_id))
        self.settle()

    def returns(self, call: Callable[[], object]) -> bool:
        """Make a call on a thread of its own and tell whether it came back at once; what it raises is raised here."""
        raised: list[BaseException] = []

        def run() -> None:
            try:
                call()
            except Exception as error:  # noqa: BLE001  (raised again in the test's thread)
                raised.append(error)

        helper = threading.Thread(target=run, name="contract-caller", daemon=True)
        self._helpers.append(helper)
        helper.start()
        helper.join(RETURNS_WITHIN_S)
        if raised:
            raise raised[0]
        return not helper.is_alive()

    @contextmanager
    def together(self, calls: "list[Callable[[], object]]"):  # type: ignore[no-untyped-def]
        """Make calls at the same time, one thread each, and wait for all of them at the end of the block."""
        start = threading.Barrier(len(calls))

        def run(call: Callable[[], object]) -> None:
            start.wait(5)
            call()

        helpers = [threading.Thread(target=run, args=(call,), name="contract-caller", daemon=True) for call in calls]
        self._helpers += helpers
        for helper in helpers:
            helper.start()
        yield
        for helper in helpers:
            helper.join(5)

    def join_helpers(self) -> None:
        """Wait for the threads that made calls."""
        for helper in self._helpers:
            helper.join(5)
