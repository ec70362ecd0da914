"""The maker: keeps a ladder of limit orders on both sides of what the instrument is worth to him."""

from bisect import bisect_right
from random import Random

from foxtrot.domain.enums import OrderType, Side
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.agents.batch import LEVELS, Batch, Scene
from foxtrot.exchange.agents.trader import Trader
from foxtrot.exchange.reports import OrderReport

_SKEW_CLIPS = 50
_MOST_SKEW_PIPS = 40


class Maker(Trader):
    """Quotes fifteen levels a side, close together at the touch and wider apart behind, growing in size.

    An order stays as long as it lies within the reach of a rung that has no other and is not half eaten; so, when the value
    moves, only what is out of place is replaced. A surplus moves the whole ladder down, a deficit up. All makers look at the
    same moments, so that they do not run into each other's old quotes.

    Thread: belongs to its population.
    """

    kind = "maker"
    rate_per_s = 20

    def __init__(self, account: str, random: Random, edge: int = 1) -> None:
        super().__init__(account, random)
        self._edge = edge

    def act(self, scene: Scene, batch: Batch) -> None:
        """Take out what is out of place and fill the rungs left empty."""
        centre = max(1, scene.fair - self._skew(scene, batch))
        rungs = _rungs(scene, self._edge)
        orders = batch.orders(self.account, scene.terms)
        for side in (Side.BUY, Side.SELL):
            held = self._keep(scene, batch, [order for order in orders if order.side is side], (centre, rungs))
            for rung in range(LEVELS):
                if rung not in held:
                    self._quote(scene, batch, side, rung, centre + (-rungs[rung] if side is Side.BUY else rungs[rung]))

    def first_due_ns(self, now_ns: int, _mean_wait_ns: int) -> int:
        """Return the moment itself: without makers there is no market."""
        return now_ns

    def next_due_ns(self, due_ns: int, now_ns: int, mean_wait_ns: int) -> int:
        """Return the next moment at which makers look; those missed are not made up for."""
        return now_ns - now_ns % mean_wait_ns + mean_wait_ns

    def _skew(self, scene: Scene, batch: Batch) -> int:
        surplus = batch.inventory(self.account, scene.terms)
        skew = surplus * scene.pip // (_SKEW_CLIPS * scene.clip)
        most = max(2 * scene.pip, min(_MOST_SKEW_PIPS * scene.pip, scene.fair // 500))
        return max(-most, min(most, skew))

    def _keep(self, scene: Scene, batch: Batch, orders: list[OrderReport], ladder: tuple[int, list[int]]) -> set[int]:
        centre, rungs = ladder
        held: set[int] = set()
        for order in orders:
            distance = centre - order.price if order.side is Side.BUY else order.price - centre
            rung = bisect_right(rungs, distance) - 1
            if rung in held or not 0 <= rung < LEVELS or order.filled * 2 > order.quantity:
                batch.cancel(scene.terms, order)
            else:
                held.add(rung)
        return held

    def _quote(self, scene: Scene, batch: Batch, side: Side, rung: int, price: int) -> None:
        terms = scene.terms
        legal = terms.below(price) if side is Side.BUY else terms.above(price)
        quantity = terms.quantity(scene.clip * (6 + rung + self.random.randrange(4)) // 2, legal)
        batch.quote(terms, self.order(scene, side, OrderType.LIMIT, quantity, legal))


def _rungs(scene: Scene, edge: int) -> list[int]:
    """Return the distances from the centre at which the rungs begin, ascending, and where the last one ends."""
    instrument: Instrument = scene.terms.instrument
    step = instrument.step_units(scene.fair)
    rungs = [(edge + rung) * step + rung * rung * scene.pip // 4 for rung in range(LEVELS)]
    return [*rungs, rungs[-1] * 5 // 4 + step]
