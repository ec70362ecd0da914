"""The bridge and its store: states conflated, facts all told in order, nothing lost between two threads."""

import threading

import pytest
from pytestqt.qtbot import QtBot

from foxtrot.core.notices import RequestFailed, StrategyLog
from foxtrot.domain.market import MarketTrade, TickData
from foxtrot.gui import fact_store
from foxtrot.gui.bridge import Bridge
from foxtrot.gui.fact_store import FactStore
from tests.support.builders import T0, a_tick


def test_the_newest_state_of_a_key_is_told_once_and_every_fact_in_order(qtbot: QtBot) -> None:
    store = FactStore()
    bridge = Bridge(store)
    ticks: list[TickData] = []
    told: list[str] = []
    bridge.on(TickData, ticks.append)
    bridge.on(RequestFailed, lambda fact: told.append(fact.what))
    for number in range(50):
        store.hear(a_tick("A", at=T0 + number))
        store.hear(a_tick("B", at=T0 + number))
        store.hear(RequestFailed("main", str(number), "", T0))
    bridge.flush()
    assert [(tick.instrument_id, tick.local_time_ns) for tick in ticks] == [("A", T0 + 49), ("B", T0 + 49)]
    assert told == [str(number) for number in range(50)]
    bridge.flush()
    assert (len(ticks), len(told)) == (2, 50)


def test_what_another_thread_tells_is_whole_and_conflated(qtbot: QtBot) -> None:
    store = FactStore()
    bridge = Bridge(store)
    told: list[int] = []
    last: dict[str, int] = {}
    bridge.on(RequestFailed, lambda fact: told.append(fact.local_time_ns))
    bridge.on(TickData, lambda tick: last.__setitem__(tick.instrument_id, tick.local_time_ns))
    bridge.start()

    def engine() -> None:
        for number in range(20_000):
            store.hear(a_tick("A", at=number + 1))
            if number % 10 == 0:
                store.hear(RequestFailed("main", "x", "", number))

    thread = threading.Thread(target=engine)
    thread.start()
    qtbot.waitUntil(lambda: not thread.is_alive() and not store.backlog and last.get("A") == 20_000, timeout=20_000)
    thread.join()
    bridge.stop()
    assert told == list(range(0, 20_000, 10))
    assert bridge.statistics().heard == 22_000


def test_facts_beyond_the_budget_are_carried_over_and_shown_as_backlog(qtbot: QtBot) -> None:
    store = FactStore()
    bridge = Bridge(store)
    told: list[object] = []
    until = threading.Event()

    def slow(fact: object) -> None:
        told.append(fact)
        until.wait(0.0005)

    bridge.on(RequestFailed, slow)
    for number in range(2_000):
        store.hear(RequestFailed("main", str(number), "", T0))
    bridge.flush()
    assert 0 < len(told) < 2_000
    assert bridge.statistics().backlog == 2_000 - len(told)
    while bridge.statistics().backlog:
        bridge.flush()
    assert len(told) == 2_000


def test_a_handler_that_raises_costs_no_other_its_fact(qtbot: QtBot) -> None:
    store = FactStore()
    bridge = Bridge(store)
    told: list[object] = []
    failures: list[str] = []
    bridge.failed.connect(failures.append)

    def broken(_fact: object) -> None:
        raise ValueError("a fault of ours")

    forget = bridge.on(RequestFailed, broken)
    bridge.on(RequestFailed, told.append)
    store.hear(RequestFailed("main", "x", "", T0))
    bridge.flush()
    assert (len(told), failures, bridge.statistics().failures) == (1, ["ValueError: a fault of ours"], 1)
    forget()
    store.hear(RequestFailed("main", "x", "", T0))
    bridge.flush()
    assert (len(told), bridge.statistics().failures) == (2, 1)


def test_public_prints_beyond_the_bound_are_shed_and_counted() -> None:
    store = FactStore()
    for number in range(fact_store.MOST_PRINTS + 5):
        store.hear(MarketTrade("A", number, number, str(number), 1.0, 1.0, "buy"))  # type: ignore[arg-type]
    assert store.shed_prints == 5
    first = store.take_facts(1)[0]
    assert isinstance(first, MarketTrade)
    assert first.trade_id == "5"


def test_a_flood_of_log_lines_is_bounded_and_loses_no_other_fact(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fact_store, "MOST_LINES", 10)
    store = FactStore()
    for number in range(50):
        store.hear(StrategyLog("flood", "INFO", str(number), T0))
        store.hear(RequestFailed("main", str(number), "", T0))
    assert store.shed_lines == 40
    assert store.backlog == 60
    taken = store.take_facts(7) + store.take_facts(1_000)
    assert [fact.what for fact in taken if isinstance(fact, RequestFailed)] == [str(number) for number in range(50)]
    kept = [(type(fact), getattr(fact, "text", "") or getattr(fact, "what", "")) for fact in taken[40:]]
    assert kept == [(kind, str(number)) for number in range(40, 50) for kind in (StrategyLog, RequestFailed)]
    assert not store.backlog
