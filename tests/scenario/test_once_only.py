"""The once-only model: whatever goes wrong with one order, there is one order; and each usual policy that breaks this is seen to.

Every schedule of a fault of the request, a crash, a way of filling, a lag of the venue's answers and a deaf or hearing user stream drives
the shipped desk, gate, journal, restore and reconciliation with Binance's order code on a scripted venue, in simulated time.
"""

import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest
from loguru import logger

from foxtrot.adapter import order_watch
from foxtrot.adapter.binance.order_codec import order_call
from foxtrot.adapter.binance.order_queries import OrderQueries
from foxtrot.adapter.binance.orders import Orders
from foxtrot.adapter.order_watch import OrderWatch, Unknown
from foxtrot.core.notices import IntentDurable
from foxtrot.domain.enums import OrderStatus
from foxtrot.domain.errors import AdapterError
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import ApprovedOrder, TradeData
from foxtrot.trading import restore
from foxtrot.trading.order_desk import OrderDesk
from foxtrot.trading.order_journal import OrderJournal
from foxtrot.trading.unknown_orders import UnknownOrders
from tests.support.once_only_venue import Fault, Fill
from tests.support.once_only_world import Crash, Life, Schedule, play

LAGS_S = (0, 4)
SCHEDULES = [Schedule(*parts) for parts in itertools.product(Fault, Crash, Fill, LAGS_S, (False, True))]
SILENT = (
    Fault.REQUEST_LOST,
    Fault.ANSWER_LOST,
    Fault.ANSWER_LATE,
    Fault.ARRIVES_LATE,
    Fault.ENGINE_LATE,
    Fault.ERROR_DONE,
)


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Nothing of hundreds of simulated failures in the log."""
    logger.disable("foxtrot")
    yield
    logger.enable("foxtrot")


def wrong(schedules: list[Schedule], folder: Path) -> dict[str, tuple[str, ...]]:
    """The schedules that do not end as they must, with what is wrong."""
    verdicts = {schedule.name: play(schedule, folder / schedule.name).faults for schedule in schedules}
    return {name: faults for name, faults in verdicts.items() if faults}


def test_there_are_enough_schedules() -> None:
    assert len(SCHEDULES) == 960
    assert len({schedule.name for schedule in SCHEDULES}) == len(SCHEDULES)


@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.name)
def test_one_wish_is_one_order_and_every_fill_is_counted_once(fault: Fault, tmp_path: Path) -> None:
    """Half of the schedules of a fault: those in which the user stream is heard with one lag and not with the other, so that all pairs occur."""
    mine = [s for s in SCHEDULES if s.fault is fault]
    half = [s for s in mine if (s.lag_s == 0) is ((len(s.crash.name) + len(s.fill.name)) % 2 == 0) or s.deaf]
    assert len(half) >= 48
    assert wrong(half, tmp_path) == {}


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize("fault", Fault, ids=lambda fault: fault.name)
def test_every_schedule(fault: Fault, tmp_path: Path) -> None:
    assert wrong([schedule for schedule in SCHEDULES if schedule.fault is fault], tmp_path) == {}


# --- the usual policies, as patches of the shipped code ------------------------------------------------------------------


def silence_is_a_rejection(patch: pytest.MonkeyPatch) -> None:
    """No answer in time: the order counts as refused, and the strategy sends another."""

    def judge(self: Orders, order: ApprovedOrder, instrument: Instrument, error: AdapterError) -> None:
        self._refused(order, instrument, error)

    patch.setattr(Orders, "_judge", judge)


def a_new_id_after_silence(patch: pytest.MonkeyPatch) -> None:
    """No answer in time: nothing is blocked, and the order is sent again under a new id."""
    patch.setattr(UnknownOrders, "note", lambda *_: None)
    patch.setattr(Life, "gives_up_on", Life.gives_up_on | {OrderStatus.UNKNOWN})


def the_same_id_after_silence(patch: pytest.MonkeyPatch) -> None:
    """No answer in time: the order is sent again under its own id, which a venue is trusted to refuse."""
    tell = OrderWatch.note_unknown

    def note_unknown(self: OrderWatch, order: ApprovedOrder, cause: str, left_ns: int | None = None) -> None:
        tell(self, order, cause, left_ns)
        session = self._session
        instrument = session.find_instrument(order.instrument_id)
        assert instrument is not None

        async def again() -> None:
            call = order_call(order, instrument, 0)
            try:
                await session.send_permitted(call.endpoint, call.params, reduces=order.reduces)
            except AdapterError:
                return

        session.spawn(again(), "again")

    patch.setattr(OrderWatch, "note_unknown", note_unknown)


def not_found_is_believed_at_once(patch: pytest.MonkeyPatch) -> None:
    """The venue says NOT FOUND: the order counts as never sent, without a bound and without a look at the lists."""

    def is_past_bound(_self: OrderWatch, _unknown: Unknown, _asked_ns: int) -> bool:
        return True

    async def is_listed(_self: OrderQueries, _order_id: str, _instrument_id: str, _since_ns: int) -> bool:
        return False

    patch.setattr(order_watch, "NEEDED", 1)
    patch.setattr(OrderWatch, "_is_past_bound", is_past_bound)
    patch.setattr(OrderQueries, "is_listed", is_listed)


def the_wire_before_the_disk(patch: pytest.MonkeyPatch) -> None:
    """The order leaves before its intent is on disk, so that a crash forgets it."""

    def intent(self: OrderJournal, order: ApprovedOrder, cause: object, sequence: int) -> None:
        self.journal._sink.put(IntentDurable((order.order_id,)))  # type: ignore[attr-defined]

    patch.setattr(OrderJournal, "intent", intent)


def a_restart_trusts_its_own_memory(patch: pytest.MonkeyPatch) -> None:
    """After a restart an order of which nothing was heard counts as never sent."""
    patch.setattr(restore, "OrderStatus", _Forgetful)


class _Forgetful:
    """The statuses, with UNKNOWN read as DENIED."""

    CREATED, SUBMITTED, UNKNOWN = OrderStatus.CREATED, OrderStatus.SUBMITTED, OrderStatus.DENIED


def a_fill_of_an_unheard_order_is_dropped(patch: pytest.MonkeyPatch) -> None:
    """A fill that comes before its order's acknowledgement belongs to nobody."""
    book = OrderDesk._book

    def careless(self: OrderDesk, trade: TradeData, *, opened: bool) -> None:
        record = self.index.find(trade.order_id, trade.account, trade.instrument_id)
        if record is not None and record.status in (OrderStatus.SUBMITTED, OrderStatus.UNKNOWN):
            record.fills[trade.trade_id] = trade
            return
        book(self, trade, opened=opened)

    patch.setattr(OrderDesk, "_book", careless)


POLICIES = {
    silence_is_a_rejection: SILENT,
    a_new_id_after_silence: SILENT,
    the_same_id_after_silence: SILENT,
    not_found_is_believed_at_once: SILENT,
    the_wire_before_the_disk: (Fault.NONE, Fault.ANSWER_LOST),
    a_restart_trusts_its_own_memory: (Fault.NONE, Fault.ANSWER_LOST),
    a_fill_of_an_unheard_order_is_dropped: (Fault.NONE, Fault.ARRIVES_LATE),
}


@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.__name__)
def test_a_usual_policy_is_caught(policy: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert callable(policy)
    policy(monkeypatch)
    tried = [s for s in SCHEDULES if s.fault in POLICIES[policy] and not s.deaf]  # type: ignore[index]
    for schedule in tried[::5]:
        if play(schedule, tmp_path / schedule.name).faults:
            return
    pytest.fail(f"none of {len(tried[::5])} schedules was spoilt")


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("policy", POLICIES, ids=lambda policy: policy.__name__)
def test_how_often_a_usual_policy_is_caught(policy: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert callable(policy)
    policy(monkeypatch)
    spoilt = wrong(SCHEDULES, tmp_path)
    print(f"{policy.__name__}: {len(spoilt)} of {len(SCHEDULES)}")  # type: ignore[attr-defined]
    assert spoilt
