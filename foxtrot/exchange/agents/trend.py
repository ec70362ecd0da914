"""The trend follower: buys what rises, sells what falls, and protects itself with a stop."""

from collections import deque
from random import Random

import msgspec

from foxtrot.domain.enums import OrderType, Side
from foxtrot.exchange.agents.batch import Batch, Scene
from foxtrot.exchange.agents.trader import Trader
from foxtrot.exchange.reports import OrderReport

_MEMORY = 6


class TrendFollower(Trader):
    """Enters with a market order when the middle has moved, and places a stop, fixed or trailing, against it.

    It leaves when the stop does that for it, when the move turns, or when it loses patience; then the stop goes too.

    Thread: belongs to its population.
    """

    kind = "trend"
    rate_per_s = 15

    def __init__(self, account: str, random: Random) -> None:
        super().__init__(account, random)
        self._middles: dict[str, deque[int]] = {}

    def act(self, scene: Scene, batch: Batch) -> None:
        """Remember the price; enter, leave or wait."""
        middles = self._middles.setdefault(scene.terms.instrument_id, deque(maxlen=_MEMORY))
        middles.append(scene.middle)
        if not scene.two_sided:
            return
        move = middles[-1] - middles[0]
        stops = batch.orders(self.account, scene.terms)
        for stop in stops:
            if move * stop.side.sign > 2 * scene.pip or self.random.randrange(20) == 0:
                self._leave(scene, batch, stop)
        if not stops and len(middles) == _MEMORY and abs(move) > 2 * scene.pip:
            self._enter(scene, batch, Side.BUY if move > 0 else Side.SELL)

    def _enter(self, scene: Scene, batch: Batch, side: Side) -> None:
        best = (scene.asks if side is Side.BUY else scene.bids)[0][0]
        quantity = scene.terms.quantity(scene.clip * self.random.randrange(2, 13) // 4, best)
        if batch.place(scene.terms, self.order(scene, side, OrderType.MARKET, quantity), best):
            self._protect(scene, batch, side.opposite, quantity)

    def _protect(self, scene: Scene, batch: Batch, side: Side, quantity: int) -> None:
        terms, middle = scene.terms, scene.middle
        distance = terms.above(scene.pip * self.random.randrange(10, 60))
        if self.random.randrange(2):
            plain = self.order(scene, side, OrderType.TRAILING_STOP, quantity)
            stop = msgspec.structs.replace(plain, trailing_offset=distance)
        else:
            trigger = terms.above(middle + distance) if side is Side.BUY else terms.below(middle - distance)
            plain = self.order(scene, side, OrderType.STOP, quantity)
            stop = msgspec.structs.replace(plain, trigger_price=trigger)
        batch.place(terms, stop, middle + distance)

    def _leave(self, scene: Scene, batch: Batch, stop: OrderReport) -> None:
        batch.cancel(scene.terms, stop)
        if stop.pending:
            best = (scene.asks if stop.side is Side.BUY else scene.bids)[0][0]
            batch.place(scene.terms, self.order(scene, stop.side, OrderType.MARKET, stop.quantity), best)
