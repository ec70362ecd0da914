"""FutuAdapter on the served exchange: what it answers before, between and after links, and a platform that runs with it."""

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random

import pytest
from loguru import logger

from foxtrot.adapter.base_adapter import AdapterContext, Setting
from foxtrot.adapter.futu.adapter import FutuAdapter
from foxtrot.adapter.reconnect import Backoff
from foxtrot.core.clock import SystemClock
from foxtrot.core.notices import (
    AdapterStatus,
    BookLoaded,
    BookStateChanged,
    ContractsLoaded,
    HistoryLoaded,
    OpenOrdersLoaded,
    PositionsLoaded,
    RequestFailed,
    TradesLoaded,
)
from foxtrot.core.secret import Secret
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.account import AccountData
from foxtrot.domain.enums import AdapterState, BookState, OrderStatus, OrderType, PositionSide, Side, TimeInForce
from foxtrot.domain.errors import ConnectionLost
from foxtrot.domain.market import TickData
from foxtrot.domain.order import ApprovedOrder, CancelRequest
from foxtrot.domain.subscription import HistoryRequest, SubscribeRequest
from tests.support.futu_rig import futu_port, served_futu
from tests.support.recorder import Recorder
from tests.support.waiting import wait_until

HK = "00700.SEHK"
PASSWORD = "hunter2-canary"
READY = AdapterState.READY
pytestmark = pytest.mark.usefixtures("futu_sdk")


def make(port: int, environment: str = "", password: str = "", **settings: Setting) -> tuple[FutuAdapter, Recorder]:
    heard = Recorder()
    secrets = {"unlock_password": Secret(password)} if password else {}
    context = AdapterContext(
        "ours", heard, SendPermit(), SystemClock(), {"port": port, "mute_after_s": 2.0, **settings}, {},
        environment=environment, secrets=secrets,
    )  # fmt: skip
    adapter = FutuAdapter(context, Random(1))
    adapter.session.backoff = Backoff(Random(1), base_s=0.05, cap_s=0.2)
    return adapter, heard


def an_order(order_id: str) -> ApprovedOrder:
    return ApprovedOrder(
        order_id, "s", "ours", HK, Side.BUY, OrderType.LIMIT, 100, 4000, 0, TimeInForce.DAY, False, False, PositionSide.NET,
        0, 0, 0, 0,
    )  # fmt: skip


@contextmanager
def running(port: int, environment: str = "", password: str = "") -> Iterator[tuple[FutuAdapter, Recorder]]:
    adapter, heard = make(port, environment, password)
    adapter.connect()
    try:
        yield adapter, heard
    finally:
        assert adapter.close() == ""


def ready(heard: Recorder, since: int = 0) -> None:
    wait_until(lambda: READY in heard.states(since), 20.0)


def test_it_opens_in_the_promised_order_and_streams_what_was_wanted_before() -> None:
    with served_futu(agents=4) as server:
        adapter, heard = make(futu_port(server))
        adapter.subscribe(SubscribeRequest(HK, ticks=True, depth_levels=10))
        adapter.connect()
        ready(heard)
        wait_until(lambda: len(heard.of(TickData)) > 3)
        kinds = (
            AdapterStatus, ContractsLoaded, AccountData, PositionsLoaded, OpenOrdersLoaded, TradesLoaded, TickData,
        )  # fmt: skip
        found = [type(event) for event in heard.events() if isinstance(event, kinds)][:8]
        assert found == [AdapterStatus, *kinds]
        assert adapter.get_order_book_from_websocket(HK) is not None
        assert adapter.get_best_bid_offer(HK) is not None
        assert adapter.fetch_order_book(HK, 5, 5.0).bids
        figures = adapter.health()
        assert figures.up
        assert figures.requests > 0
        assert [part.name for part in adapter.parts()] == ["futu-io of ours", "link of ours"]
        assert adapter.close() == ""
        assert not adapter.health().up


def test_what_is_asked_before_it_is_connected_is_refused_and_no_order_leaves() -> None:
    adapter, heard = make(1)
    adapter.send_order(an_order("o1"))
    adapter.cancel_order(CancelRequest("o1", "ours", HK))
    adapter.query_account()
    adapter.query_history(HistoryRequest("h1", HK, "1m", 1, 0))
    adapter.request_book("b1", HK, 5)
    assert [order.status for order in heard.reports("o1")] == [OrderStatus.DENIED]
    assert [failed.error for failed in heard.of(RequestFailed)] == ["OpenD is not connected"] * 2
    assert [loaded.error for loaded in (*heard.of(HistoryLoaded), *heard.of(BookLoaded))] == [
        "OpenD is not connected"
    ] * 2
    with pytest.raises(ConnectionLost):
        adapter.fetch_order_book(HK, 5, 1.0)
    assert adapter.close() == ""


def test_it_is_closed_once_by_whoever_comes_first_and_refuses_what_comes_after() -> None:
    with served_futu() as server:
        adapter, heard = make(futu_port(server))
        adapter.connect()
        adapter.connect()
        ready(heard)
        overran: list[str] = []
        closers = [threading.Thread(target=lambda: overran.append(adapter.close())) for _ in range(3)]
        for closer in closers:
            closer.start()
        for closer in closers:
            closer.join(5.0)
        assert overran == ["", "", ""]
        assert heard.states().count(AdapterState.CLOSED) == 1
        adapter.connect()
        adapter.subscribe(SubscribeRequest(HK))
        assert heard.of(RequestFailed)[-1].error == "the adapter is closed"
        assert heard.states()[-1] is AdapterState.CLOSED


def test_a_link_that_the_supervisor_does_not_trust_is_made_anew_with_its_streams() -> None:
    with served_futu(agents=4) as server, running(futu_port(server)) as (adapter, heard):
        adapter.subscribe(SubscribeRequest(HK, depth_levels=10))
        ready(heard)
        wait_until(lambda: bool(heard.of(TickData)) and bool(heard.of(BookStateChanged)))
        mark = len(heard)
        adapter.renew_link("the process stood still")
        ready(heard, mark)
        wait_until(lambda: bool(heard.of(TickData, mark)))
        assert heard.states(mark) == [
            AdapterState.LOST, AdapterState.BACKING_OFF, AdapterState.CONNECTING, AdapterState.CONNECTED, READY,
        ]  # fmt: skip
        assert heard.of(AdapterStatus, mark)[0].cause == "the process stood still"
        assert [changed.state for changed in heard.of(BookStateChanged, mark)][:1] == [BookState.STALE]


def test_the_trading_password_is_in_no_log_no_text_and_not_kept_by_the_sdk() -> None:
    lines: list[str] = []
    sink = logger.add(lambda message: lines.append(str(message)), level="TRACE", serialize=True, diagnose=True)
    try:
        with served_futu() as server, running(futu_port(server), "real", PASSWORD) as (adapter, heard):
            ready(heard)
            wait_until(lambda: bool(adapter.trading.orders.unlocking.locked))
            trade = adapter.session.dialling.present("test")._trade
            texts = [
                repr(adapter.context),
                repr(adapter.session.settings),
                repr(vars(trade)),
                *map(repr, heard.events()),
            ]
    finally:
        logger.remove(sink)
    hashed = hashlib.md5(PASSWORD.encode(), usedforsecurity=False).hexdigest()
    assert lines
    for secret in (PASSWORD, hashed):
        assert not [text for text in (*lines, *texts) if secret in text]


CONFIG = """
[platform]
mode = "paper"
base_currency = "HKD"

[account.futu]
adapter = "futu"
settings = {{ port = {port}, markets = "HK" }}

[strategy.idle]
class = "{folder}/idle.py:Idle"
account = "futu"
symbols = ["00700.SEHK"]
"""
STRATEGY = '''
from pathlib import Path

from foxtrot.api import Strategy


class Idle(Strategy):
    """Says in a file that a price came."""

    def on_tick(self, tick):
        Path(__file__).with_name("heard").touch()
'''


@pytest.mark.slow
@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_platform_with_it_ends_cleanly_on_a_signal_and_writes_nothing_to_the_home(
    tmp_path: Path, stop: signal.Signals
) -> None:
    home, config = tmp_path / "user", tmp_path / "foxtrot.toml"
    home.mkdir()
    (tmp_path / "idle.py").write_text(STRATEGY)
    with served_futu(agents=4) as server:
        config.write_text(CONFIG.format(port=futu_port(server), folder=tmp_path))
        environment = {**os.environ, "HOME": str(home), "FOXTROT_HOME": str(tmp_path / "platform")}
        command = [sys.executable, "-m", "foxtrot", "run", str(config), "--json"]
        with subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        ) as process:
            try:
                wait_until((tmp_path / "heard").exists, 60.0)
                process.send_signal(stop)
                stdout, stderr = process.communicate(timeout=60)
            finally:
                process.kill()
    assert process.returncode == 0, stderr
    summary = json.loads(stdout)
    assert summary["reconciled"] is True
    assert summary["overran"] == []
    assert list(home.iterdir()) == []
