"""Adapters that break promises 1 to 3, about calls and the link; each says in one line what it does wrong."""

import threading
from decimal import Decimal

import msgspec

from foxtrot.adapter.simulated.adapter import SimulatedAdapter
from foxtrot.core.notices import HistoryLoaded, OpenOrdersLoaded, PositionsLoaded, TradesLoaded
from foxtrot.domain.account import AccountData
from foxtrot.domain.enums import AdapterState, OrderStatus
from foxtrot.domain.errors import FoxtrotError, VenueRejected
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import DepthData, MarketTrade
from foxtrot.domain.order import ApprovedOrder, OrderData
from tests.contract.mutants.broken_promises import breaks


@breaks(1)
class WaitsForTheVenue(SimulatedAdapter):
    """send_order comes back only when the venue has answered."""

    def send_order(self, order: ApprovedOrder) -> None:
        answered = threading.Event()
        super().send_order(order)
        self.session.submit(answered.set)
        answered.wait(3)


@breaks(1)
class RaisesWhatTheVenueSays(SimulatedAdapter):
    """A refused request is raised at the caller."""

    def on_request_failed(self, what: str, error: FoxtrotError | str) -> None:
        raise VenueRejected("simulated", "refused", f"{what}: {error}")


@breaks(1)
class PublishesFromTheCaller(SimulatedAdapter):
    """connect says CONNECTING on the caller's thread."""

    def connect(self) -> None:
        self.on_status(AdapterState.CONNECTING)
        super().connect()


@breaks(1)
class SwallowsRefusals(SimulatedAdapter):
    """A rejected order is never heard of again."""

    def on_order(self, order: OrderData) -> None:
        if order.status is not OrderStatus.REJECTED:
            super().on_order(order)


@breaks(1)
class GivesTheOpenBar(SimulatedAdapter):
    """History ends with the bar that is still open."""

    def on_history(self, history: HistoryLoaded) -> None:
        if history.bars:
            last = history.bars[-1]
            length = last.close_time_ns - last.open_time_ns
            opened = msgspec.structs.replace(
                last, open_time_ns=last.close_time_ns, close_time_ns=last.close_time_ns + length
            )
            history = msgspec.structs.replace(history, bars=(*history.bars[1:], opened))
        super().on_history(history)


@breaks(1)
class RoundsBalances(SimulatedAdapter):
    """Balances go through float."""

    def on_account(self, account: AccountData) -> None:
        rows = tuple(
            msgspec.structs.replace(row, total=Decimal(float(row.total)), free=Decimal(float(row.free)))
            for row in account.balances
        )
        super().on_account(msgspec.structs.replace(account, balances=rows))


@breaks(2)
class SaysReadyEarly(SimulatedAdapter):
    """READY comes with the contracts, before account and orders are known."""

    def on_contracts(self, instruments: tuple[Instrument, ...]) -> None:
        super().on_contracts(instruments)
        self.on_status(AdapterState.READY)

    def on_status(self, state: AdapterState, cause: str = "", attempt: int = 0, delay_s: float = 0.0) -> None:
        if state is not AdapterState.READY or not self._said_ready:
            self._said_ready = state is AdapterState.READY
            super().on_status(state, cause, attempt, delay_s)

    _said_ready = False


@breaks(2)
class TellsPositionsFirst(SimulatedAdapter):
    """Positions are told before the account."""

    _waiting: AccountData | None = None

    def on_account(self, account: AccountData) -> None:
        self._waiting = account

    def on_positions(self, positions: PositionsLoaded) -> None:
        super().on_positions(positions)
        if self._waiting is not None:
            super().on_account(self._waiting)


@breaks(2)
class ForgetsOpenOrders(SimulatedAdapter):
    """Open orders of an earlier session are not told."""

    def on_open_orders(self, orders: OpenOrdersLoaded) -> None:
        super().on_open_orders(msgspec.structs.replace(orders, orders=()))


@breaks(2)
class ConnectsTwice(SimulatedAdapter):
    """A second connect logs in once more."""

    def connect(self) -> None:
        super().connect()
        self.session.submit(self._begin)


@breaks(3)
class BelievesAnOldLink(SimulatedAdapter):
    """After the process stood still it goes on as if nothing had happened."""

    def renew_link(self, cause: str) -> None:
        self.query_orders()


@breaks(3)
class ForgetsSubscriptions(SimulatedAdapter):
    """What was subscribed is gone after a loss."""

    def _unlink(self) -> None:
        super()._unlink()
        self.market_data._wanted.clear()


@breaks(3)
class SubscribesTwice(SimulatedAdapter):
    """Each log-in opens the streams once more."""

    def on_market_trade(self, trade: MarketTrade) -> None:
        for _ in range(max(1, self._log_ins - 1)):
            super().on_market_trade(trade)

    def _log_in(self) -> None:
        self._log_ins += 1
        super()._log_in()

    _log_ins = 0


@breaks(3)
class LosesFillsOfTheGap(SimulatedAdapter):
    """Fills that happened while the link was lost are not told."""

    def on_trades(self, trades: TradesLoaded) -> None:
        super().on_trades(msgspec.structs.replace(trades, trades=()))


@breaks(3)
class DoesNotSayWhy(SimulatedAdapter):
    """A loss has no cause."""

    def on_status(self, state: AdapterState, cause: str = "", attempt: int = 0, delay_s: float = 0.0) -> None:
        super().on_status(state, "", attempt, delay_s)


@breaks(3)
class ComesBackAtOnce(SimulatedAdapter):
    """The back-off is announced and not kept."""

    def _lose_link(self, cause: str, back_after_s: float) -> None:
        super()._lose_link(cause, 0.0)


@breaks(3)
class NeverComesBack(SimulatedAdapter):
    """A lost link stays lost."""

    def _lose_link(self, cause: str, back_after_s: float) -> None:
        super()._lose_link(cause, back_after_s)
        if self._come_back is not None:
            self.session.stop_after_step(self._come_back)


@breaks(3)
class KeepsTheOldBook(SimulatedAdapter):
    """No fresh snapshot comes after a loss."""

    def on_depth(self, depth: DepthData) -> None:
        if depth.update_id not in self._told:
            self._told.add(depth.update_id)
            super().on_depth(depth)

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self._told: set[int] = set()


@breaks(3)
class RejectsWhatItCouldNotSend(SimulatedAdapter):
    """An order that never left comes back as if the venue had rejected it."""

    def on_order(self, order: OrderData) -> None:
        if order.status is OrderStatus.DENIED:
            order = msgspec.structs.replace(order, status=OrderStatus.REJECTED)
        super().on_order(order)


@breaks(3)
class SendsWhatItParked(SimulatedAdapter):
    """An order given while the link is lost leaves when it is back."""

    def send_order(self, order: ApprovedOrder) -> None:
        if self._come_back is None:
            super().send_order(order)
        else:
            self._parked.append(order)

    def _log_in(self) -> None:
        super()._log_in()
        for order in self._parked:
            self._orders.place(order)

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type]
        self._parked: list[ApprovedOrder] = []
