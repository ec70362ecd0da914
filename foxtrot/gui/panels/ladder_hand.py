"""What a hand does in a ladder becomes orders: a click one, a drag a change, a click with the right button a cancel."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec

from foxtrot.app.desktop_requests import TermsFound
from foxtrot.domain.enums import OrderType, PositionSide, Side
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import AmendRequest, OrderRequest
from foxtrot.gui.chart.own_marks import MOVABLE, OrderLevel, OwnMarks
from foxtrot.gui.numbers import price_text, size_decimals, size_text
from foxtrot.gui.order_actions import OWNER, OrderActions
from foxtrot.gui.panels.ladder_model import Ladder
from foxtrot.gui.texts import tr


class Wish(NamedTuple):
    """Something that was asked for and may wait for a yes: where, in words, and what does it."""

    row: int
    side: Side
    text: str
    do: Callable[[], bool]


class LadderHand:
    """Makes wishes of clicks and drags; what cannot be done is said in words by a text instead.

    Thread: the desktop's.

    Args:
        actions: the door for trading.
        ladder: the rows.
        account: in which the person trades.
        terms: what the account's venue takes, None until it has told.
        armed: whether a wish is sent without a question.
    """

    def __init__(
        self, actions: OrderActions, ladder: Ladder, account: str, terms: TermsFound | None, *, armed: bool
    ) -> None:
        self._actions = actions
        self._ladder = ladder
        self._instrument: Instrument = ladder.instrument
        self.account = account
        self.terms = terms
        self._asks = not armed

    def place(self, side: Side, row: int, size: float, *, stop: bool) -> Wish | str:
        """Return the wish of a limit order at a row's price, or of a stop; a text where there is none."""
        if not self.account:
            return tr("ladder.no_account")
        if size <= 0.0:
            return tr("ladder.no_size")
        price = self._ladder.price_of(row)
        if price <= 0.0:
            return tr("ladder.no_price")
        kind = OrderType.STOP if stop else OrderType.LIMIT
        if stop:
            why = self._why_no_stop(side, price)
            if why:
                return why
        request = OrderRequest(
            self._instrument.instrument_id, self.account, side, kind, size, 0.0 if stop else price,
            price if stop else 0.0, position_side=self._position_side(side),
        )  # fmt: skip
        text = self.words(side, kind, size, price)
        asks = self._asks
        return Wish(row, side, text, lambda: self._actions.place(request, text, ask=asks))

    def move(self, side: Side, row: int, target: int) -> Wish | str:
        """Return the wish to move a row's orders of the person to another row, or why that cannot be."""
        levels = self._ladder.levels_at(side, row, OWNER)
        if not levels:
            return tr("ladder.not_yours")
        if self.terms is None:
            return tr("ladder.no_terms", account=self.account)
        if any(level.order.status not in MOVABLE or not level.is_movable for level in levels):
            return tr("ladder.not_movable")
        price = self._ladder.price_of(target)
        if any(level.field == "trigger_price" and self._is_through(level.order.side, price) for level in levels):
            return tr("ladder.stop_through")
        asks = self._asks
        requests = _moved(levels, price)
        size = sum({level.order.order_id: level.order.remaining for level in levels}.values())
        changes = self.terms.capabilities.amend
        do = self._actions.amend if changes else self._actions.replace
        text = tr(
            "ladder.move" if changes else "ladder.replace", side=tr(f"ladder.{side}"), size=self._size(size),
            old=self._price(self._ladder.price_of(row)), new=self._price(price),
        )  # fmt: skip
        return Wish(target, side, text, lambda: _all(do(request, text, ask=asks) for request in requests))

    def cancel(self, side: Side | None, row: int) -> str:
        """Cancel the person's orders of a row; returns what was done in words."""
        sides = (Side.BUY, Side.SELL) if side is None else (side,)
        found = {
            level.order.order_id: level.order for one in sides for level in self._ladder.levels_at(one, row, OWNER)
        }
        if not found:
            return tr("ladder.nothing_to_cancel")
        for order_id in found:
            self._actions.cancel(order_id)
        return tr("ladder.cancelling", count=len(found))

    def cancel_all(self, side: Side | None, marks: OwnMarks) -> str:
        """Cancel the person's orders of one side or both after asking; returns what was done in words."""
        orders = [order for order in marks.orders.values() if order.owner == OWNER and side in (None, order.side)]
        if not orders:
            return tr("ladder.nothing_to_cancel")
        which = tr(f"ladder.{side}") if side else tr("ladder.both")
        done = self._actions.cancel_many(orders, f"{self._instrument.instrument_id} {which}, {self.account}")
        return tr("ladder.cancelling", count=len(orders)) if done else ""

    def words(self, side: Side, kind: OrderType, size: float, price: float) -> str:
        """Return an order in words."""
        return tr(
            "ladder.order", side=tr(f"ladder.{side}"), kind=tr(f"ladder.{kind}"), size=self._size(size), price=self._price(price),
            symbol=self._instrument.symbol, account=self.account,
        )  # fmt: skip

    def _why_no_stop(self, side: Side, price: float) -> str:
        if self.terms is not None and OrderType.STOP not in self.terms.capabilities.order_types:
            return tr("ladder.no_stop", account=self.account)
        return tr("ladder.stop_through") if self._is_through(side, price) else ""

    def _is_through(self, side: Side, price: float) -> bool:
        """Tell whether a stop at a price would trade at once."""
        if side is Side.BUY:
            return 0.0 < price <= self._ladder.best_ask
        return self._ladder.best_bid > 0.0 and price >= self._ladder.best_bid

    def _position_side(self, side: Side) -> PositionSide:
        """Return which position an order of the ladder opens: where long and short are held apart it only ever opens."""
        if self.terms is None or not self.terms.hedges:
            return PositionSide.NET
        return PositionSide.LONG if side is Side.BUY else PositionSide.SHORT

    def _size(self, size: float) -> str:
        return size_text(size, size_decimals(self._instrument))

    def _price(self, price: float) -> str:
        return price_text(price, self._instrument.price_grid.decimals)


def _all(done: Iterable[bool]) -> bool:
    """Do every one of several things, and tell whether all were done."""
    return list(done).count(False) == 0


def _moved(levels: list[OrderLevel], price: float) -> list[AmendRequest]:
    """Return one change for each order; one whose trigger and limit stand in the same row takes both along."""
    made: dict[str, AmendRequest] = {}
    for level in levels:
        known = made.get(level.order.order_id, AmendRequest(level.order.order_id))
        made[level.order.order_id] = msgspec.structs.replace(known, **{level.field: price})
    return list(made.values())
