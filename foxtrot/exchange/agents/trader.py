"""What all kinds of traders have in common: an account, a seeded mind, a pace, and names for their orders."""

from abc import ABC, abstractmethod
from random import Random

from foxtrot.domain.enums import OrderType, Side, TimeInForce
from foxtrot.exchange.agents.batch import Batch, Scene
from foxtrot.exchange.commands import PlaceOrder

_COMFORT_CLIPS = 400


class Trader(ABC):
    """One account that trades.

    Thread: belongs to its population.
    """

    kind: str
    rate_per_s: int
    """How often it acts, over all instruments."""

    def __init__(self, account: str, random: Random) -> None:
        self.account = account
        self.random = random
        self._placed = 0

    @abstractmethod
    def act(self, scene: Scene, batch: Batch) -> None:
        """Look at one instrument and decide."""

    def first_due_ns(self, now_ns: int, mean_wait_ns: int) -> int:
        """Return when to act on an instrument for the first time."""
        return self.next_due_ns(now_ns, now_ns, mean_wait_ns)

    def next_due_ns(self, due_ns: int, _now_ns: int, mean_wait_ns: int) -> int:
        """Return when to act again on an instrument: after a random wait of that mean."""
        return due_ns + 1 + self.random.randrange(2 * mean_wait_ns)

    def order(self, scene: Scene, side: Side, order_type: OrderType, quantity: int, price: int = 0) -> PlaceOrder:
        """Return a good-till-cancelled order with a name of its own."""
        instrument_id = scene.terms.instrument_id
        return PlaceOrder(scene.now_ns, self.account, instrument_id, self.name(), side, order_type, quantity, price)

    def at_once(self, scene: Scene, side: Side, quantity: int, price: int) -> PlaceOrder:
        """Return a limit order whose unfilled rest ends at once."""
        instrument_id, kind = scene.terms.instrument_id, OrderType.LIMIT
        return PlaceOrder(
            scene.now_ns, self.account, instrument_id, self.name(), side, kind, quantity, price, 0, TimeInForce.IOC
        )

    def name(self) -> str:
        """Return the next client order id."""
        self._placed += 1
        return f"{self.account}-{self._placed}"

    def pick_side(self, scene: Scene, batch: Batch) -> Side:
        """Return a random side, the likelier the more it brings the inventory back to where it began."""
        surplus = batch.inventory(self.account, scene.terms) * 100 // (_COMFORT_CLIPS * scene.clip)
        return Side.BUY if self.random.randrange(-100, 100) >= max(-90, min(90, surplus)) else Side.SELL
