"""Orders against a scripted OpenD: what each kind of answer, push and silence means, in every order in which they may come."""

import asyncio
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any

import msgspec
import pytest

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.futu.accounts import FutuAccount
from foxtrot.adapter.futu.errors import NotLinked, refusal_of
from foxtrot.adapter.futu.orders import outcome_of
from foxtrot.core.clock import ManualClock
from foxtrot.core.notices import AmendAnswered, OrderMissing, RequestFailed, TradesLoaded
from foxtrot.core.secret import Secret
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.enums import OrderStatus
from foxtrot.domain.errors import AdapterError, BadMessage, ConnectionLost, RequestTimedOut, VenueRejected
from foxtrot.domain.order import ApprovedAmend, ApprovedOrder, CancelRequest
from foxtrot.domain.outcome import Outcome
from foxtrot.exchange.listings import listing
from tests.support import futu_messages as m
from tests.support.futu_market_rig import HK, MORNING_NS
from tests.support.futu_trading_rig import TradingAdapter
from tests.support.recorder import Recorder
from tests.unit.adapter.futu.test_order_codecs import approved

pytestmark = pytest.mark.usefixtures("futu_sdk")
S = OrderStatus
Answer = Callable[[dict[str, Any]], Any]


class _Rows:
    """An answer with any list."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__ |= fields


class ScriptedOpenD:
    """Answers by name of the SDK's request; keeps what it was asked. It is both the SDK and the context.

    Thread: the loop's.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.orders: list[Any] = []
        self.past: list[Any] = []
        self.deals: list[Any] = []
        self.script: dict[str, Answer] = {}

    def request(self, name: str) -> str:
        return name

    def ask(self, pack: str, **arguments: Any) -> Any:
        self.asked.append((pack, arguments))
        if pack in self.script:
            return self.script[pack](arguments)
        return {
            "PlaceOrder": lambda: _Rows(orderIDEx="FT7"),
            "OrderListQuery": lambda: _Rows(orderList=self.orders),
            "HistoryOrderListQuery": lambda: _Rows(orderList=self.past),
            "DealListQuery": lambda: _Rows(orderFillList=self.deals),
            "HistoryDealListQuery": lambda: _Rows(orderFillList=[]),
            "AccInfoQuery": lambda: _Rows(funds=m.funds_message((1, 100.0, 100.0))),
            "PositionListQuery": lambda: _Rows(positionList=[]),
        }.get(pack, lambda: None)()

    def ask_through(
        self, gate: Callable[[Callable[[], tuple[int, str]]], tuple[int, str]], pack: str, **rest: Any
    ) -> Any:
        answers: list[Any] = []

        def hand_over() -> tuple[int, str]:
            answers.append(self.ask(pack, **rest))
            return 0, ""

        if gate(hand_over)[0]:
            raise BadMessage("futu", pack, "the send permit is closed")
        return answers[0]

    def count(self, name: str) -> int:
        return sum(pack == name for pack, _ in self.asked)


class _Listed:
    async def load_contracts(self) -> tuple[Any, ...]:
        return (listing(HK), listing("AAPL.NASDAQ"))


class World:
    """One account whose session calls the script at once; time moves when it is told to."""

    def __init__(
        self, *, real: bool = False, home: Path | None = None, now_ns: int = MORNING_NS, **settings: Any
    ) -> None:
        self.clock, self.heard, self.permit, self.opend = ManualClock(now_ns), Recorder(), SendPermit(), ScriptedOpenD()
        secrets = {"unlock_password": Secret("pw")} if real else {}
        context = AdapterContext(
            "ours", self.heard, self.permit, self.clock, {"account_id": 1, **settings}, {},
            environment="real" if real else "simulate", secrets=secrets, home=home,
        )  # fmt: skip
        self.adapter = TradingAdapter(context)
        self.trading = self.adapter.trading
        self.session: Any = self.adapter.session
        number = m.REAL_ACCOUNT if real else m.ACCOUNT
        self.session.accounts = {"HK": FutuAccount(number, real=real, markets=(1, 2))}
        self.session.linked = True
        self.session.dialling.sdk = self.opend
        self.session.trade = self._trade
        self.session.spawn = self._spawn
        self.session.wait_s = self._wait_s
        self.session.call_soon = lambda job: (job(), True)[1]
        self.trading._market = _Listed()  # type: ignore[assignment]
        self.tasks: set[asyncio.Task[None]] = set()
        self._waiters: list[tuple[int, asyncio.Future[None]]] = []

    async def _trade(self, kind: str, call: Callable[[Any], Any]) -> Any:
        assert kind in self.session.ledger.kinds
        await asyncio.sleep(0)
        return call(self.opend)

    def _spawn(self, work: Coroutine[Any, Any, None], name: str) -> "asyncio.Task[None]":
        task = asyncio.get_running_loop().create_task(work, name=name)
        self.tasks.add(task)
        return task

    async def _wait_s(self, seconds: float) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiters.append((self.clock.monotonic_ns() + int(seconds * 1e9), future))
        await future

    async def settle(self) -> None:
        for _ in range(60):
            await asyncio.sleep(0)

    async def advance(self, seconds: float, step_s: float = 1.0) -> None:
        left_s = seconds
        while left_s > 0:
            self.clock.advance(int(min(step_s, left_s) * 1e9))
            left_s -= step_s
            for due_ns, future in self._waiters:
                if due_ns <= self.clock.monotonic_ns() and not future.done():
                    future.set_result(None)
            await self.settle()

    async def place(self, order: ApprovedOrder) -> None:
        await self.trading.place(order)
        await self.settle()

    def statuses(self, order_id: str = "t-1-1") -> list[OrderStatus]:
        return [report.status for report in self.heard.reports(order_id)]

    def push_order(self, **fields: Any) -> None:
        account = m.REAL_ACCOUNT if self.session.settings.is_real else m.ACCOUNT
        self.session.on_push["order"](m.order_push(m.order_message(**fields), account))

    def push_deal(self, **fields: Any) -> None:
        self.session.on_push["deal"](m.deal_push(m.deal_message(**fields)))


def played(story: Callable[[World], Coroutine[Any, Any, None]], **settings: Any) -> World:
    """Play a story in a world that is open, and end what it left running."""
    made: list[World] = []

    async def run() -> None:
        world = World(**settings)
        made.append(world)
        await world.trading.open()
        await world.settle()
        await story(world)
        for task in world.tasks:
            task.cancel()
        await asyncio.gather(*world.tasks, return_exceptions=True)

    asyncio.run(run())
    return made[0]


def failing(error: AdapterError) -> Answer:
    def answer(_arguments: dict[str, Any]) -> Any:
        raise error

    return answer


def timed_out() -> RequestTimedOut:
    return RequestTimedOut("futu", "PlaceOrder", "OpenD did not answer in time")


# --- what an answer means -------------------------------------------------------------------------------------------


def test_an_answer_is_accepted_and_its_push_is_told_no_second_time() -> None:
    async def story(world: World) -> None:
        await world.place(approved())
        world.push_order()

    world = played(story)
    assert world.statuses() == [S.ACCEPTED]
    assert dict(world.opend.asked)["PlaceOrder"]["remark"] == "t-1-1"


def test_pushes_before_the_answer_are_matched_by_the_remark() -> None:
    async def story(world: World) -> None:
        def answer(_arguments: dict[str, Any]) -> Any:
            world.push_order()
            world.push_order(orderStatus=m.ALL, fillQty=300.0, fillAvgPrice=400.0)
            return _Rows(orderIDEx="FT7")

        world.opend.script["PlaceOrder"] = answer
        await world.place(approved())

    world = played(story)
    assert world.statuses() == [S.ACCEPTED, S.FILLED]
    assert [(fill.trade_id, fill.quantity, fill.price) for fill in world.heard.fills("t-1-1")] == [
        ("FT7-300", 300.0, 400.0)
    ]


def test_a_fill_before_its_order_is_known_waits_and_is_asked_for() -> None:
    async def story(world: World) -> None:
        def answer(_arguments: dict[str, Any]) -> Any:
            world.push_deal()
            raise timed_out()

        world.opend.script["PlaceOrder"] = answer
        await world.place(approved())
        assert world.heard.fills("t-1-1") == []
        world.opend.orders = [m.order_message(orderStatus=m.PART, fillQty=100.0, fillAvgPrice=400.0)]
        await world.advance(3)

    world = played(story, real=True)
    assert world.statuses() == [S.UNKNOWN, S.ACCEPTED, S.PARTIALLY_FILLED]
    assert [(fill.trade_id, fill.order_id) for fill in world.heard.fills("t-1-1")] == [("11", "t-1-1")]


@pytest.mark.parametrize(
    ("error", "outcome"),
    [
        (refusal_of("PlaceOrder", -1, "not enough money"), Outcome.REFUSED),
        (refusal_of("PlaceOrder", -500, "invalid"), Outcome.REFUSED),
        (refusal_of("PlaceOrder", -1, "frequency limit"), Outcome.REFUSED),
        (refusal_of("PlaceOrder", -1, "Request Timeout"), Outcome.UNKNOWN),
        (refusal_of("PlaceOrder", -1, "请求超时"), Outcome.UNKNOWN),
        (refusal_of("PlaceOrder", -100, "timeout"), Outcome.UNKNOWN),
        (refusal_of("PlaceOrder", -200, "cut"), Outcome.UNKNOWN),
        (refusal_of("PlaceOrder", -400, "?"), Outcome.UNKNOWN),
        (refusal_of("PlaceOrder", -12345, "never heard of"), Outcome.UNKNOWN),
        (ConnectionLost("futu", "PlaceOrder", "gone"), Outcome.UNKNOWN),
        (timed_out(), Outcome.UNKNOWN),
        (BadMessage("futu", "PlaceOrder", "?"), Outcome.UNKNOWN),
        (NotLinked("futu", "PlaceOrder", "no connection"), Outcome.DENIED_LOCALLY),
    ],
)
def test_what_an_error_means_for_an_order(error: AdapterError, outcome: Outcome) -> None:
    assert outcome_of(error) is outcome
    told = {Outcome.REFUSED: S.REJECTED, Outcome.UNKNOWN: S.UNKNOWN, Outcome.DENIED_LOCALLY: S.DENIED}[outcome]

    async def story(world: World) -> None:
        world.opend.script["PlaceOrder"] = failing(error)
        await world.place(approved())

    assert played(story).statuses() == [told]


def test_an_unknown_order_is_found_in_the_list_and_never_sent_again() -> None:
    async def story(world: World) -> None:
        world.opend.script["PlaceOrder"] = failing(timed_out())
        await world.place(approved())
        world.opend.orders = [m.order_message()]
        await world.advance(10)
        await world.place(approved())

    world = played(story)
    assert world.statuses() == [S.UNKNOWN, S.ACCEPTED]
    assert world.opend.count("PlaceOrder") == 1
    assert [failure.what for failure in world.heard.of(RequestFailed)] == ["order t-1-1"]


def test_an_unknown_order_is_found_among_past_orders() -> None:
    async def story(world: World) -> None:
        world.opend.script["PlaceOrder"] = failing(timed_out())
        await world.place(approved())
        world.opend.past = [m.order_message(orderStatus=m.CANCELLED)]
        await world.advance(10)

    assert played(story).statuses() == [S.UNKNOWN, S.ACCEPTED, S.CANCELLED]


def test_absence_is_believed_past_the_bound_only_and_a_late_order_is_adopted() -> None:
    async def story(world: World) -> None:
        world.opend.script["PlaceOrder"] = failing(timed_out())
        await world.place(approved())
        await world.advance(world.adapter.capabilities.unknown_bound_s - 1)
        assert world.statuses() == [S.UNKNOWN]
        await world.advance(30)
        assert world.statuses() == [S.UNKNOWN, S.DENIED]
        world.push_order()

    world = played(story)
    assert world.statuses() == [S.UNKNOWN, S.DENIED, S.ACCEPTED]
    assert "never reached the market" in world.heard.reports("t-1-1")[1].reason


def test_an_order_that_futu_has_not_judged_stays_unknown_however_long_that_takes() -> None:
    async def story(world: World) -> None:
        world.opend.script["PlaceOrder"] = failing(timed_out())
        await world.place(approved())
        world.opend.orders = [m.order_message(orderStatus=m.SUBMITTING)]
        await world.advance(120)
        assert world.statuses() == [S.UNKNOWN]
        world.opend.orders = [m.order_message(orderStatus=m.FAILED, lastErrMsg="no")]
        await world.advance(20)

    assert played(story).statuses() == [S.UNKNOWN, S.REJECTED]


# --- the permit, the session and the lock ---------------------------------------------------------------------------


def test_the_permit_is_read_in_the_moment_of_the_hand_over() -> None:
    async def story(world: World) -> None:
        sending = asyncio.ensure_future(world.trading.place(approved()))
        await asyncio.sleep(0)  # it waits for its turn
        world.permit.close("kill switch")
        await sending

    world = played(story)
    (report,) = world.heard.reports("t-1-1")
    assert (report.status, report.rule, report.reason) == (S.DENIED, "send_permit", "kill switch")
    assert world.opend.count("PlaceOrder") == 0


SATURDAY_NS = MORNING_NS + 4 * 86_400 * 10**9


def test_an_order_while_the_market_is_closed_is_refused_with_the_next_opening() -> None:
    async def story(world: World) -> None:
        await world.place(approved())

    (report,) = played(story, now_ns=SATURDAY_NS).heard.reports("t-1-1")
    assert (report.status, report.rule) == (S.DENIED, "outside_session")
    assert "Mon 2026-03-16 09:30" in report.reason


def test_a_queued_order_leaves_when_its_market_opens_and_no_sooner() -> None:
    lunch_ns = MORNING_NS + (2 * 3_600 + 59 * 60) * 10**9  # 12:59:20

    async def story(world: World) -> None:
        sending = asyncio.ensure_future(world.trading.place(approved()))
        await world.settle()
        await world.advance(39, 0.5)
        assert world.opend.count("PlaceOrder") == 0
        await world.advance(3, 0.5)
        await sending

    world = played(story, now_ns=lunch_ns, outside_session="queue")
    assert world.statuses() == [S.ACCEPTED]
    assert world.opend.count("PlaceOrder") == 1


def test_a_queued_order_that_is_asked_for_is_with_us_and_never_missing() -> None:
    async def story(world: World) -> None:
        sending = asyncio.ensure_future(world.trading.place(approved()))
        await world.settle()
        for _ in range(4):
            await world.trading.tell_order("t-1-1", HK)
            await world.advance(600, 60)
        world.trading.lost()
        await world.advance(10)
        await asyncio.gather(sending, return_exceptions=True)

    world = played(story, now_ns=SATURDAY_NS, outside_session="queue")
    assert world.statuses() == [S.SUBMITTED] * 4 + [S.DENIED]
    assert not world.heard.of(OrderMissing)
    assert world.opend.count("GetOrderList") == 0


@pytest.mark.parametrize("end", ["cancelled", "lost", "closed", "permit"])
def test_a_queued_order_that_is_not_wanted_any_more_is_denied(end: str) -> None:
    async def story(world: World) -> None:
        sending = asyncio.ensure_future(world.trading.place(approved()))
        await world.settle()
        if end == "cancelled":
            await world.trading.cancel(CancelRequest("t-1-1", "ours", HK))
        elif end == "lost":
            world.trading.lost()
        elif end == "closed":
            sending.cancel()
        else:
            world.permit.close("kill switch")
            await world.advance(3 * 86_400, 600)
        await world.advance(10)
        await asyncio.gather(sending, return_exceptions=True)

    world = played(story, now_ns=SATURDAY_NS, outside_session="queue")
    assert world.statuses() == [S.DENIED]
    assert world.opend.count("PlaceOrder") == 0


def test_a_lock_is_told_orders_are_denied_meanwhile_and_it_is_unlocked_again() -> None:
    async def story(world: World) -> None:
        locked = refusal_of("PlaceOrder", -1, "Please unlock trade first")
        world.opend.script["PlaceOrder"] = failing(locked)
        world.opend.script["UnlockTrade"] = failing(VenueRejected("futu", "UnlockTrade", "wrong password"))
        await world.place(approved())
        world.opend.script.pop("PlaceOrder")
        await world.place(approved(order_id="t-1-2"))
        world.opend.script.pop("UnlockTrade")
        await world.advance(5)
        await world.place(approved(order_id="t-1-3"))

    world = played(story, real=True)
    assert world.statuses("t-1-1") == [S.REJECTED]
    assert [(report.status, report.rule) for report in world.heard.reports("t-1-2")] == [(S.DENIED, "locked")]
    assert world.statuses("t-1-3") == [S.ACCEPTED]
    told = [failure.error for failure in world.heard.of(RequestFailed)]
    assert any("locked again" in error for error in told)
    assert any("wrong password" in error for error in told)
    digests = {arguments["password_md5"] for name, arguments in world.opend.asked if name == "UnlockTrade"}
    assert digests == {"8fe4c11451281c094a6578e6ddbf5eed"}


# --- cancels --------------------------------------------------------------------------------------------------------


def test_a_cancel_names_futus_number_and_what_it_says_nothing_of_is_asked_for() -> None:
    async def story(world: World) -> None:
        await world.place(approved())
        world.opend.script["ModifyOrder"] = failing(RequestTimedOut("futu", "ModifyOrder", "no answer"))
        world.opend.orders = [m.order_message(orderStatus=m.CANCELLED)]
        await world.trading.cancel(CancelRequest("t-1-1", "ours", HK))

    world = played(story)
    assert world.statuses() == [S.ACCEPTED, S.CANCELLED]
    (arguments,) = [arguments for name, arguments in world.opend.asked if name == "ModifyOrder"]
    assert (arguments["order_id"], arguments["modify_order_op"]) == ("FT7", "CANCEL")


def test_the_cancel_of_an_order_that_futu_does_not_have_fails() -> None:
    async def story(world: World) -> None:
        await world.trading.cancel(CancelRequest("nobodys", "ours", HK))

    (failure,) = played(story).heard.of(RequestFailed)
    assert (failure.what, failure.error) == ("cancel of nobodys", "Futu has no such order")


def test_an_order_is_changed_by_futus_number_with_its_whole_quantity() -> None:
    async def story(world: World) -> None:
        await world.place(approved())
        units = listing(HK).price_units("399.8")
        changed = msgspec.structs.replace(approved(), quantity_units=500, price_units=units)
        await world.trading.amend(ApprovedAmend(1, changed))

    world = played(story)
    (arguments,) = [arguments for name, arguments in world.opend.asked if name == "ModifyOrder"]
    assert (arguments["modify_order_op"], arguments["qty"], arguments["price"]) == ("NORMAL", 500.0, 399.8)
    (answer,) = world.heard.of(AmendAnswered)
    assert (answer.order_id, answer.number, answer.outcome) == ("t-1-1", 1, Outcome.CONFIRMED)


def test_a_change_under_a_closed_permit_does_not_leave() -> None:
    async def story(world: World) -> None:
        await world.place(approved())
        world.trading.orders._adapter.context.permit.close("kill switch")
        await world.trading.amend(ApprovedAmend(1, msgspec.structs.replace(approved(), quantity_units=500)))

    world = played(story)
    assert [name for name, _ in world.opend.asked].count("ModifyOrder") == 0
    (answer,) = world.heard.of(AmendAnswered)
    assert (answer.outcome, answer.rule, answer.reason) == (Outcome.DENIED_LOCALLY, "send_permit", "kill switch")


# --- orders of others, lost pushes and lists ------------------------------------------------------------------------


def test_orders_of_other_clients_are_told_and_no_two_under_one_name() -> None:
    async def story(world: World) -> None:
        world.push_order(orderIDEx="A", remark="grid bot")
        world.push_order(orderIDEx="B", remark="grid bot")
        world.push_order(orderIDEx="C", remark="")

    world = played(story)
    assert [world.statuses(name) for name in ("grid bot", "venueB", "venueC")] == [[S.ACCEPTED]] * 3


def test_pushes_of_other_accounts_are_not_ours() -> None:
    async def story(world: World) -> None:
        world.session.on_push["order"](m.order_push(m.order_message(), 5))

    assert played(story).statuses() == []


def test_what_pushes_did_not_tell_is_found_by_looking() -> None:
    async def story(world: World) -> None:
        await world.place(approved())
        world.opend.orders = [m.order_message(orderStatus=m.ALL, fillQty=300.0, fillAvgPrice=400.0)]
        await world.advance(12)

    world = played(story)
    assert world.statuses() == [S.ACCEPTED, S.FILLED]
    assert sum(fill.quantity for fill in world.heard.fills("t-1-1")) == 300


def test_fills_that_no_push_told_are_asked_for_on_a_real_account() -> None:
    async def story(world: World) -> None:
        await world.place(approved())
        world.push_order(orderStatus=m.ALL, fillQty=300.0, fillAvgPrice=400.0)
        world.opend.deals = [m.deal_message(fillID=1), m.deal_message(fillID=2, qty=200.0)]
        await world.advance(4)

    world = played(story, real=True)
    assert [fill.trade_id for fill in world.heard.fills("t-1-1")] == ["1", "2"]


def test_a_fill_that_is_pushed_listed_and_pushed_again_is_told_once() -> None:
    async def story(world: World) -> None:
        await world.place(approved())
        world.push_order(orderStatus=m.PART, fillQty=100.0, fillAvgPrice=400.0)
        world.push_deal()
        world.opend.deals = [m.deal_message()]
        world.opend.orders = [m.order_message(orderStatus=m.PART, fillQty=100.0, fillAvgPrice=400.0)]
        await world.trading.tell_trades(0)
        world.push_deal()

    world = played(story, real=True)
    assert len(world.heard.fills("t-1-1")) == 1
    assert [trade.trade_id for trade in world.heard.of(TradesLoaded)[-1].trades] == ["11"]


def test_a_message_that_cannot_be_is_told_and_hides_no_other() -> None:
    async def story(world: World) -> None:
        world.push_order(orderIDEx="A", remark="one", qty=float("nan"))
        world.push_order(orderIDEx="B", remark="two")
        world.opend.orders = [m.order_message(orderType=77), m.order_message(orderIDEx="B", remark="two")]
        await world.trading.tell_orders()

    world = played(story)
    assert world.statuses("two") == [S.ACCEPTED]
    assert any(failure.what == "push of the account" for failure in world.heard.of(RequestFailed))


def test_money_is_asked_for_every_few_seconds_and_told_when_it_has_changed() -> None:
    async def story(world: World) -> None:
        before = world.opend.count("AccInfoQuery")
        await world.advance(9.5, 0.5)
        assert world.opend.count("AccInfoQuery") - before == 3

    played(story)


def test_while_nothing_may_be_sent_money_is_asked_for_rarely_also_after_a_fill() -> None:
    """A guardian watches the account by the OpenD of the platform, whose limits are for both."""

    async def story(world: World) -> None:
        world.permit.close("a guardian sends no order")
        await world.advance(4)
        before = world.opend.count("AccInfoQuery")
        world.trading.polling.hear_fill()
        await world.advance(28)
        assert world.opend.count("AccInfoQuery") == before
        await world.advance(2)
        assert world.opend.count("AccInfoQuery") == before + 1

    played(story)
