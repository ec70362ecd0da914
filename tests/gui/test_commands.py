"""What the desktop can send arrives at a real platform, encoded on the way, and an order of a person's passes the gate that a strategy's does.

The classes are found in the source of foxtrot.gui, so that one that is sent for the first time fails here until it has a case.
"""

import ast
import inspect
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Final, NamedTuple

import msgspec
import pytest
from pytestqt.qtbot import QtBot

import foxtrot.gui
from foxtrot.app import (
    blotter_requests,
    control_requests,
    control_roll_requests,
    desktop_requests,
    desktop_risk_requests,
    desktop_wishes,
    history_requests,
)
from foxtrot.app.control_requests import Request, Taken
from foxtrot.core import commands
from foxtrot.core.notices import AdapterStatus
from foxtrot.domain.enums import AdapterState, OrderStatus
from foxtrot.domain.order import AmendRequest, OrderRequest
from foxtrot.domain.subscription import HistoryRequest, SubscribeRequest
from tests.support.desktop_platform import ACCOUNT, PERPETUAL, STRATEGY, DesktopPlatform
from tests.support.waiting import wait_until

ASKED_IN: Final = (
    control_requests,
    desktop_requests,
    desktop_risk_requests,
    blotter_requests,
    control_roll_requests,
    history_requests,
    desktop_wishes,
)


def classes_of(module: ModuleType) -> dict[str, type]:
    """The commands of a module, or its questions and wishes."""
    own = {name: one for name, one in inspect.getmembers(module, inspect.isclass) if one.__module__ == module.__name__}
    return own if module is commands else {name: one for name, one in own.items() if issubclass(one, Request)}


SENDABLE: Final = {name: one for module in (commands, *ASKED_IN) for name, one in classes_of(module).items()}


def sent_in(source: str) -> set[type]:
    """The classes of commands, questions and wishes that some source makes."""
    calls = (node.func for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call))
    names = {
        func.id if isinstance(func, ast.Name) else func.attr
        for func in calls
        if isinstance(func, ast.Name | ast.Attribute)
    }
    return {SENDABLE[name] for name in names if name in SENDABLE}


def sent_by_the_desktop() -> set[type]:
    """What foxtrot.gui makes anywhere."""
    found: set[type] = set()
    for file in Path(foxtrot.gui.__file__).parent.rglob("*.py"):
        found |= sent_in(file.read_text("utf-8"))
    return found


@pytest.fixture
def platform(tmp_path: Path, qtbot: QtBot) -> Iterator[DesktopPlatform]:
    made = DesktopPlatform(tmp_path, qtbot, classes_of(commands).values())
    try:
        made.start()
        yield made
    finally:
        made.end()


class Wished(NamedTuple):
    """A wish, and the command that it comes to; or a part of why it is refused, where nothing is there for it."""

    make: Callable[[DesktopPlatform], Request]
    command: type | None = None
    refusal: str = ""


WHO: Final = {"who": "ann", "why": "a test"}
QUESTIONS: Final[dict[type[Request], Callable[[DesktopPlatform], Request]]] = {
    control_requests.ListOrders: lambda _: control_requests.ListOrders(every=True),
    control_requests.ListPositions: lambda _: control_requests.ListPositions(),
    control_requests.ListTrades: lambda _: control_requests.ListTrades(),
    control_requests.ListStrategies: lambda _: control_requests.ListStrategies(),
    control_requests.ListBlocks: lambda _: control_requests.ListBlocks(),
    control_requests.FollowKill: lambda it: control_requests.FollowKill(kill_id=it.link.kill("a test")),  # type: ignore[arg-type]
    desktop_requests.Overview: lambda _: desktop_requests.Overview(),
    desktop_requests.ListInstruments: lambda _: desktop_requests.ListInstruments(),
    desktop_requests.AskTerms: lambda _: desktop_requests.AskTerms(account=ACCOUNT),
    desktop_requests.PreviewOrder: lambda it: desktop_requests.PreviewOrder(order=it.request(), owner="manual"),
    desktop_requests.AskInstrument: lambda _: desktop_requests.AskInstrument(instrument_id=PERPETUAL),
    desktop_requests.DescribeStrategies: lambda _: desktop_requests.DescribeStrategies(),
    desktop_risk_requests.RiskOverview: lambda _: desktop_risk_requests.RiskOverview(),
    blotter_requests.ListProtections: lambda _: blotter_requests.ListProtections(),
    blotter_requests.ListPerformance: lambda _: blotter_requests.ListPerformance(),
    history_requests.ListHistory: lambda _: history_requests.ListHistory(),
    blotter_requests.ListWorth: lambda _: blotter_requests.ListWorth(),
}
WISHES: Final[dict[type[Request], Wished]] = {
    control_requests.Cancel: Wished(
        lambda it: control_requests.Cancel(order_id=it.resting(), who="ann"), commands.CancelOrder
    ),
    control_requests.Reconcile: Wished(
        lambda _: control_requests.Reconcile(who="ann", account=ACCOUNT), commands.ReconcileNow
    ),
    control_requests.SetValues: Wished(
        lambda _: control_requests.SetValues(strategy_id=STRATEGY, values={"fast": 7}, **WHO), commands.SetParameters
    ),
    control_requests.Step: Wished(
        lambda _: control_requests.Step(strategy_id=STRATEGY, step="start", **WHO), commands.StartStrategy
    ),
    desktop_wishes.Renew: Wished(lambda _: desktop_wishes.Renew(account=ACCOUNT, **WHO), commands.RenewLink),
    control_requests.Resume: Wished(lambda _: control_requests.Resume(**WHO), commands.ResumeTrading),
    control_requests.Resolve: Wished(
        lambda it: control_requests.Resolve(order_id=it.resting(), status=OrderStatus.CANCELLED, **WHO),
        refusal="only an order of unknown outcome",
    ),
    control_requests.Settle: Wished(
        lambda _: control_requests.Settle(difference_id="none", decision="adopt", **WHO), refusal="no open difference"
    ),
}
COMMANDS: Final[dict[type, Callable[[DesktopPlatform], object]]] = {
    commands.SendOrder: lambda it: it.actions.place(it.request(), "a test's"),
    commands.SendProtectedOrder: lambda it: it.desk.put(
        commands.SendProtectedOrder(it.request(), "manual", stop=it.price() * 0.5)
    ),
    commands.ProtectPosition: lambda it: it.desk.put(
        commands.ProtectPosition("manual", ACCOUNT, PERPETUAL, it.price() * 0.5)
    ),
    commands.ClosePosition: lambda it: it.actions.place_together(
        "Close?", [commands.ClosePosition("manual", ACCOUNT, PERPETUAL)], "a test's"
    ),
    commands.AmendOrder: lambda it: it.actions.amend(AmendRequest(it.resting(), price=it.below()), "a test's"),
    commands.ReplaceOrder: lambda it: it.actions.replace(AmendRequest(it.resting(), price=it.below()), "a test's"),
    commands.WatchMarket: lambda it: it.desk.put(commands.WatchMarket(ACCOUNT, SubscribeRequest(PERPETUAL))),
    commands.AskHistory: lambda it: it.desk.put(
        commands.AskHistory(ACCOUNT, HistoryRequest("one", PERPETUAL, "1m", 10, it.engine.clock.now_ns()))
    ),
    commands.KillSwitch: lambda it: it.link.kill("a test"),
}


@pytest.mark.parametrize(
    "kind", sorted(sent_by_the_desktop(), key=lambda kind: kind.__name__), ids=lambda kind: kind.__name__
)
def test_what_the_desktop_sends_has_a_case_here(kind: type) -> None:
    assert kind in QUESTIONS or kind in WISHES or kind in COMMANDS, (
        f"give {kind.__name__} a case in {Path(__file__).name}"
    )


def test_a_class_that_is_sent_is_found_in_the_source() -> None:
    source = "from foxtrot.core import commands\n\ndef f(put, ask):\n    put(SendOrder(1, 2))\n    ask(commands.CloseGate('x'))\n    put(Other())\n"
    assert sent_in(source) == {commands.SendOrder, commands.CloseGate}


def test_every_question_is_answered(platform: DesktopPlatform) -> None:
    platform.resting()
    answers = {kind: platform.ask(make(platform)) for kind, make in QUESTIONS.items()}
    wrong = {kind.__name__: error for kind, (found, error) in answers.items() if error or found is None}
    assert wrong == {}


def test_every_wish_comes_to_its_command_or_says_why_not(platform: DesktopPlatform) -> None:
    for kind, wish in WISHES.items():
        found, error = platform.ask(wish.make(platform))
        if wish.command is None:
            assert wish.refusal in error, kind
            continue
        assert (type(found), error) == (Taken, ""), kind
        platform.until(lambda command=wish.command: platform.has_arrived(command))  # type: ignore[misc]


def test_every_command_arrives(platform: DesktopPlatform) -> None:
    for kind, send in COMMANDS.items():
        send(platform)
        platform.until(lambda kind=kind: platform.has_arrived(kind))  # type: ignore[misc]
        sent = next(one for one in platform.arrived if type(one) is kind)
        assert msgspec.json.decode(msgspec.json.encode(sent), type=kind) == sent


def test_a_persons_order_is_judged_as_any(platform: DesktopPlatform) -> None:
    assert platform.place(platform.request()).status is OrderStatus.ACCEPTED
    too_much = platform.request(quantity=9.0)
    refused = platform.place(too_much)
    desk = platform.engine.line.desk
    same = platform.engine.ask(lambda: desk.denied[desk.submit(too_much, STRATEGY)])
    assert (refused.status, refused.rule, refused.reason) == (same.status, same.rule, same.reason)
    assert (refused.status, refused.rule) == (OrderStatus.DENIED, "max_order_quantity")


@pytest.mark.parametrize(
    "send",
    [
        lambda it, request: it.desk.put(commands.SendOrder(request, "manual")),
        lambda it, request: it.actions.place_protected(commands.SendProtectedOrder(request, "manual", 1.0), "a test's"),
        lambda it, request: it.actions.place(request, "a test's"),
        lambda it, request: it.actions.place_together("several", [commands.SendOrder(request, "manual")], "a test's"),
    ],
    ids=["order", "protected order", "the one door", "orders together"],
)
def test_nothing_opens_past_a_kill(
    platform: DesktopPlatform, send: Callable[[DesktopPlatform, OrderRequest], object]
) -> None:
    request = platform.request()
    platform.link.kill("a test")
    wait_until(lambda: platform.engine.ask(lambda: str(platform.engine.line.gate.state)) != "active")
    send(platform, request)
    platform.until(lambda: any(one.status is OrderStatus.DENIED for one in platform.orders.values()))
    assert platform.engine.ask(lambda: list(platform.engine.line.desk.open_records())) == []


def test_a_renewed_connection_is_lost_and_comes_back(platform: DesktopPlatform) -> None:
    states: list[AdapterState] = []
    platform.bridge.on(AdapterStatus, lambda status: states.append(status.state))
    platform.ask(desktop_wishes.Renew(account=ACCOUNT, **WHO))
    platform.until(lambda: AdapterState.LOST in states and states[-1] is AdapterState.READY)
    assert platform.place(platform.request()).status is OrderStatus.ACCEPTED
    found, error = platform.ask(desktop_wishes.Renew(account="nobody", **WHO))
    assert (found, "nobody" in error) == (None, True)
