"""Wishes of a hand in a ladder: armed they are sent at once, else they wait for a yes."""

from collections.abc import Callable
from time import monotonic
from typing import Final

from PySide6.QtWidgets import QWidget

from foxtrot.domain.enums import Side
from foxtrot.gui.desk import Desk
from foxtrot.gui.panels.ladder_feed import LadderFeed
from foxtrot.gui.panels.ladder_frame import LadderFrame
from foxtrot.gui.panels.ladder_hand import LadderHand, Wish
from foxtrot.gui.panels.ladder_model import Ladder
from foxtrot.gui.texts import tr

SHIFT_S: Final = 0.3
"""A click so soon after rows have moved by themselves is no order: it was meant for another price."""


class LadderWishes(LadderFrame):
    """What clicks, drags and buttons of a ladder do.

    Thread: the desktop's.
    """

    def __init__(self, desk: Desk, parent: QWidget | None = None) -> None:
        super().__init__(desk, parent)
        self.clock: Callable[[], float] = monotonic
        self.ladder: Ladder | None = None
        self.wish: Wish | None = None
        self.shifted_s = float("-inf")
        self.feed = LadderFeed(desk, self)

    @property
    def doubt(self) -> str:
        """Return why the rows are not to be believed, "" where they are."""
        return self.failing or self.desk.doubt(self.instrument_id, self.feed.account)

    @property
    def is_armed(self) -> bool:
        """Tell whether one click sends: that was switched on, and the rows are to be believed."""
        return self.desk.actions.armed and not self.doubt

    def click(self, row: int, side: Side | None, stop: bool) -> None:
        """Take a click: armed it sends, else it marks the row and asks; in the column of prices it marks nothing."""
        if side is None:
            self.forget_wish()
            return
        hand = self._calm_hand()
        if hand is not None:
            self._take(hand.place(side, row, self.sizes.box.value(), stop=stop))

    def drag(self, side: Side, row: int, target: int) -> None:
        """Take an own order that was dragged to another row."""
        hand = self._hand()
        if hand is not None:
            self._take(hand.move(side, row, target))

    def dismiss(self, side: Side | None, row: int) -> None:
        """Cancel the person's orders of a row."""
        hand = self._calm_hand()
        if hand is not None:
            self.say(hand.cancel(side, row))

    def cancel_all(self, side: Side | None) -> None:
        """Cancel the person's orders of this instrument and account, of one side or both, after asking."""
        hand = self._hand()
        if hand is not None:
            self.say(hand.cancel_all(side, self.feed.marks))

    def agree(self) -> None:
        """Do what was marked, once."""
        wish = self.wish
        self.forget_wish()
        if wish is not None:
            self.say(tr("ladder.sent") if wish.do() else tr("ladder.not_sent"))

    def _calm_hand(self) -> LadderHand | None:
        """Return what acts, None where the rows have just moved by themselves: the hand meant another price."""
        if self.clock() - self.shifted_s < SHIFT_S:
            self.say(tr("ladder.moved"), warns=True)
            return None
        return self._hand()

    def _hand(self) -> LadderHand | None:
        if self.ladder is None:
            self.say(tr("ladder.no_instrument"))
            return None
        return LadderHand(self.desk.actions, self.ladder, self.feed.account, self.feed.terms, armed=self.is_armed)

    def _take(self, wish: Wish | str) -> None:
        self.forget_wish()
        if isinstance(wish, str):
            self.say(wish, warns=True)
        elif self.is_armed:
            self.say(tr("ladder.sent") if wish.do() else tr("ladder.not_sent"))
        else:
            self.wish = wish
            self.say("")  # what was said of an earlier click is not of this one
            self.view.mark((wish.row, wish.side))
            self.confirm.ask(wish.side, wish.text)

    def forget_wish(self) -> None:
        """Let go of what was marked, and of what is dragged."""
        self.wish = None
        self.view.let_go()
        self.view.mark(None)
        self.confirm.hide()
