"""The taker: wants to trade now, mostly a little, sometimes more than the best level has."""

from foxtrot.domain.enums import OrderType, Side
from foxtrot.exchange.agents.batch import Batch, Scene
from foxtrot.exchange.agents.trader import Trader


class Taker(Trader):
    """Enters market orders and, half the time, limit orders at the best price that end at once.

    One in sixteen is large: a market order over several levels, or an order for more than the best level shows, of which a
    part stays unfilled. None takes more than an eighth of what is in sight.

    Thread: belongs to its population.
    """

    kind = "taker"
    rate_per_s = 70

    def act(self, scene: Scene, batch: Batch) -> None:
        """Trade once, if there is somebody to trade with."""
        if not scene.two_sided:
            return
        side = self.pick_side(scene, batch)
        rows = scene.asks if side is Side.BUY else scene.bids
        best, shown = rows[0]
        wanted = scene.clip * self.random.randrange(2, 11) // 8
        patient = self.random.randrange(2) == 0
        if self.random.randrange(16) == 0:
            wanted = shown + 2 * scene.clip if patient else sum(quantity for _, quantity in rows[:3])
        in_sight = sum(quantity for _, quantity in rows)
        quantity = scene.terms.quantity(min(wanted, max(in_sight // 8, 1)), best)
        if patient:
            batch.place(scene.terms, self.at_once(scene, side, quantity, best), best)
        else:
            batch.place(scene.terms, self.order(scene, side, OrderType.MARKET, quantity), best)
