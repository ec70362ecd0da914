"""Accounts: who answers which request about money, positions and profit, and what is told as it changes."""

from collections.abc import Callable, Mapping

from foxtrot.exchange.events import ChargeBooked, OrderFilled, PositionChanged, VenueEvent
from foxtrot.exchange.wire.ib.account_figures import AccountBooks
from foxtrot.exchange.wire.ib.account_layouts import (
    ACCOUNT_UPDATES_ID,
    CANCEL_PNL_ID,
    CANCEL_POSITIONS_ID,
    CANCEL_SUMMARY_ID,
    CANCEL_UPDATES_MULTI_ID,
    PNL_ID,
    POSITIONS_ID,
    SUMMARY_ID,
    UPDATES_MULTI_ID,
)
from foxtrot.exchange.wire.ib.account_updates import AccountUpdates
from foxtrot.exchange.wire.ib.connection import IbClient
from foxtrot.exchange.wire.ib.endpoint import Handler, Send
from foxtrot.exchange.wire.ib.pnl import ProfitAndLoss
from foxtrot.exchange.wire.ib.positions import Positions
from foxtrot.exchange.wire.ib.venue_side import IbSide


class Account:
    """The part of the surface that tells what accounts have.

    Thread: exchange-io.

    Args:
        side: the venue as the surface needs it.
        send: the way out.
        clients: returns the connections that have started.
        books: what accounts have; shared with the part that trades.
    """

    def __init__(
        self, side: IbSide, send: Send, clients: Callable[[], tuple[IbClient, ...]], books: AccountBooks
    ) -> None:
        self._side = side
        self._updates = AccountUpdates(side, books, send, clients)
        self._positions = Positions(side, books, send, clients)
        self._profits = ProfitAndLoss(side, books, send, clients)

    def handlers(self) -> Mapping[int, Handler]:
        """Return what it answers, by message id.

        Source: EClient of ibapi 9.81.
        """
        return {
            ACCOUNT_UPDATES_ID: self._updates.subscribe,
            SUMMARY_ID: self._updates.summarise,
            CANCEL_SUMMARY_ID: self._updates.end_summary,
            UPDATES_MULTI_ID: self._updates.subscribe_multi,
            CANCEL_UPDATES_MULTI_ID: self._updates.end_multi,
            POSITIONS_ID: self._positions.subscribe,
            CANCEL_POSITIONS_ID: self._positions.end,
            PNL_ID: self._profits.subscribe,
            CANCEL_PNL_ID: self._profits.end,
        }

    def on_event(self, event: VenueEvent) -> None:
        """Hear one event of the venue: what changes an account is told at the next tick.

        Source: TWS API documentation, reqAccountUpdates: at once when a position changes.
        """
        if not isinstance(event, OrderFilled | PositionChanged | ChargeBooked):
            return
        account = self._side.account_of(event.account)
        if account is None:
            return
        self._updates.touch(account)
        if isinstance(event, PositionChanged):
            self._positions.touch(account, event.instrument_id)
        elif isinstance(event, ChargeBooked):
            self._profits.paid_in(account, event)

    def tick(self, now_ns: int) -> None:
        """Publish what is due.

        Source: TWS API documentation, reqAccountUpdates, reqPositions, reqPnL.
        """
        self._profits.tick(now_ns)
        self._positions.tick()
        self._updates.tick(now_ns)

    def closed(self, client: IbClient) -> None:
        """Forget what a connection that is gone wanted to hear.

        Source: none; Foxtrot's own clean-up.
        """
        for part in (self._updates, self._positions, self._profits):
            part.closed(client)
