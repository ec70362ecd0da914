"""The noise trader: leaves orders here and there, changes them, takes them back, for reasons nobody knows."""

import msgspec

from foxtrot.domain.enums import OrderType, Side, TimeInForce
from foxtrot.exchange.agents.batch import Batch, Scene
from foxtrot.exchange.agents.trader import Trader
from foxtrot.exchange.commands import PlaceOrder
from foxtrot.exchange.reports import OrderReport

_MOST_OPEN = 8
_SECOND_NS = 1_000_000_000


class NoiseTrader(Trader):
    """Keeps up to eight limit orders on an instrument, within sight of the best price: plain, iceberg or with an expiry.

    Thread: belongs to its population.
    """

    kind = "noise"
    rate_per_s = 30

    def act(self, scene: Scene, batch: Batch) -> None:
        """Enter, change or take back one order."""
        if not scene.two_sided:
            return
        orders = batch.orders(self.account, scene.terms)
        choice = self.random.randrange(10)
        if len(orders) >= _MOST_OPEN or (orders and choice < 2):
            batch.cancel(scene.terms, orders[0])
        elif orders and choice < 4:
            self._change(scene, batch, orders[self.random.randrange(len(orders))])
        else:
            self._leave_order(scene, batch)

    def _leave_order(self, scene: Scene, batch: Batch) -> None:
        side = self.pick_side(scene, batch)
        price = self._price(scene, side)
        quantity = scene.terms.quantity(scene.clip * self.random.randrange(2, 17) // 8, price)
        plain = self.order(scene, side, OrderType.LIMIT, quantity, price)
        batch.place(scene.terms, self._dressed(scene, plain), price)

    def _dressed(self, scene: Scene, order: PlaceOrder) -> PlaceOrder:
        dress = self.random.randrange(8)
        if dress == 0:
            lot = scene.terms.lot
            return msgspec.structs.replace(order, display_quantity=max(order.quantity // 4 // lot, 1) * lot)
        if dress == 1:
            expires_ns = scene.now_ns + self.random.randrange(1, 6) * _SECOND_NS
            return msgspec.structs.replace(order, time_in_force=TimeInForce.GTD, expire_time_ns=expires_ns)
        return order

    def _change(self, scene: Scene, batch: Batch, order: OrderReport) -> None:
        left = order.quantity - order.filled
        if self.random.randrange(2):
            quantity = order.filled + scene.terms.quantity(left // 2, order.price)
            if quantity < order.quantity and quantity - order.filled >= order.display_quantity:
                batch.amend(scene.terms, order, quantity, order.price)
            return
        batch.amend(scene.terms, order, order.quantity, self._price(scene, order.side))

    def _price(self, scene: Scene, side: Side) -> int:
        """Return a price that does not take: now and then a step better than the best of its side, mostly behind it."""
        terms = scene.terms
        best = (scene.bids if side is Side.BUY else scene.asks)[0][0]
        distance = scene.pip * self.random.randrange(-1, 24)
        if distance < 0 and scene.asks[0][0] - scene.bids[0][0] <= scene.pip + terms.instrument.step_units(best):
            distance = 0
        return terms.below(best - distance) if side is Side.BUY else terms.above(best + distance)
