"""The health of a platform that runs: as an object, in the status file, over HTTP and as metrics."""

import http.client
import io
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from foxtrot.app.config import load_config
from foxtrot.app.control_server import ControlServer
from foxtrot.app.health import DEGRADED, HALTED, OK, Health
from foxtrot.app.health_server import FILE, HealthServer
from foxtrot.app.health_table import HealthTable
from foxtrot.app.logging_setup import start_logging
from foxtrot.app.main_engine import MainEngine
from foxtrot.app.platform_journal import PlatformJournal
from foxtrot.app.platform_watch import PlatformWatch
from foxtrot.app.run_recording import surroundings_of
from foxtrot.core.clock import SystemClock
from foxtrot.core.commands import SendOrder
from foxtrot.core.notices import Gap, OrderChanged
from foxtrot.domain.enums import GateState, OrderType, Side
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.order import OrderRequest
from tests.support.waiting import wait_until

CONFIG = """
[account.paper]
adapter = "simulated"
settings = { instruments = "BTCUSDT.BINANCE" }

[health]
enabled = true
"""
WORD = "a-word-of-this-test"


class Place:
    """A platform with one paper account and its watch."""

    def __init__(self, folder: Path, more: str = "", environment: dict[str, str] | None = None) -> None:
        folder.mkdir(exist_ok=True)
        (folder / "home").mkdir(mode=0o700, exist_ok=True)
        (folder / "foxtrot.toml").write_text(CONFIG + more)
        self.home = folder / "home"
        self.platform = MainEngine(load_config(folder / "foxtrot.toml"), self.home)
        self.watch = PlatformWatch(self.platform, environment=environment or {})

    def __enter__(self) -> "Place":
        self.watch.__enter__()
        self.platform.start()
        self.watch.started()
        wait_until(self.platform.all_ready.is_set)
        wait_until(lambda: self.look().state == OK)
        return self

    def __exit__(self, *_: object) -> None:
        self.watch.stopping()
        self.platform.stop()
        self.watch.ended()
        self.watch.__exit__()

    def look(self) -> Health:
        self.watch.supervisor.look()
        self.watch.status.write("running")
        found = self.watch.health.latest_and_age_s()
        assert found is not None
        return found[0]

    def get(self, path: str, word: str | None = None) -> tuple[int, str, bytes]:
        place = json.loads((self.home / FILE).read_text())
        link = http.client.HTTPConnection("127.0.0.1", place["port"], timeout=10)
        try:
            link.request("GET", path, headers={"Authorization": f"Bearer {word or place.get('token')}"})
            answer = link.getresponse()
            return answer.status, answer.getheader("Content-Type") or "", answer.read()
        finally:
            link.close()

    def metrics(self) -> dict[str, float]:
        status, kind, body = self.get("/metrics")
        assert status == 200
        assert kind.startswith("text/plain; version=0.0.4")
        families = text_string_to_metric_families(body.decode())
        return {
            f"{sample.name}{sorted(sample.labels.values()) or ''}": sample.value
            for family in families
            for sample in family.samples
        }


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    with Place(tmp_path) as made:
        yield made


def test_a_platform_that_is_well_says_so_everywhere(place: Place) -> None:
    health = place.look()
    assert (health.state, health.reasons, health.gate) == (OK, (), "active")
    assert {part.name for part in health.parts} >= {"foxtrot-engine", "simulated-io of paper", "foxtrot-health"}
    assert [one.account for one in health.accounts] == ["paper"]
    counters = health.counters
    assert counters["events_accepted"] >= counters["events_handled"] > 0
    written = json.loads((place.home / "status.json").read_text())["health"]
    status, kind, body = place.get("/health")
    assert (status, kind) == (200, "application/json")
    served = json.loads(body)
    assert served["state"] == written["state"] == OK
    assert served.keys() == written.keys()


def test_the_place_of_the_endpoint_is_private_and_gone_at_the_end(tmp_path: Path) -> None:
    with Place(tmp_path) as place:
        assert (place.home / FILE).stat().st_mode & 0o777 == 0o600
        assert place.get("/health", "wrong")[0] == 401
        assert place.get("/other")[0] == 404
    assert not (place.home / FILE).exists()


def test_the_token_of_a_variable_stands_nowhere(tmp_path: Path) -> None:
    with Place(tmp_path, 'token_env = "HEALTH_WORD"\n', {"HEALTH_WORD": WORD}) as place:
        place.look()
        assert place.get("/health", WORD)[0] == 200
        assert place.get("/health", "other")[0] == 401
        assert not [one for one in place.home.rglob("*") if one.is_file() and WORD.encode() in one.read_bytes()]


def test_a_variable_that_is_not_set_is_named_with_its_place(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"foxtrot.toml:\d+: \[health\] .*HEALTH_WORD is not set"):
        Place(tmp_path, 'token_env = "HEALTH_WORD"\n')


def test_a_port_that_is_taken_is_refused_before_the_platform_starts(tmp_path: Path, place: Place) -> None:
    port = json.loads((place.home / FILE).read_text())["port"]
    second = Place(tmp_path / "second", f"port = {port}\n")
    with pytest.raises(ConfigError, match=f"port {port} of 127.0.0.1 cannot be had"):
        second.watch.__enter__()
    second.platform.stop()


def test_a_closed_gate_is_halted_and_answers_503(place: Place) -> None:
    place.platform.line.gate.close("a person said so")
    health = place.look()
    assert health.state == HALTED
    assert health.reasons == ("the gate is halted: a person said so",)
    assert place.get("/health")[0] == 503
    assert place.get("/metrics")[0] == 200
    assert place.metrics()["foxtrot_state['halted']"] == 1


def test_a_block_an_unknown_order_and_what_was_shed_degrade_and_are_counted(place: Place) -> None:
    platform = place.platform
    platform.put(SendOrder(OrderRequest("NONE.BINANCE", "paper", Side.BUY, OrderType.MARKET, 1.0), "manual"))
    platform.put(Gap("BTCUSDT.BINANCE", "DepthChange", 7))
    platform.ask(lambda: platform.line.gate.block("paper", "BTCUSDT.BINANCE", GateState.HALTED, "too odd", "test"))
    platform.ask(lambda: None)
    health = place.look()
    assert health.state == DEGRADED
    assert health.reasons == ("account paper, BTCUSDT.BINANCE, is blocked: too odd",)
    assert health.counters["orders_denied"] == 1
    assert (health.counters["gaps"], health.counters["events_shed"]) == (1, 7)
    assert place.get("/health")[0] == 200
    found = place.metrics()
    assert found["foxtrot_orders_denied_total"] == 1
    assert found["foxtrot_events_shed_total"] == 7
    assert found["foxtrot_account_blocks['paper']"] == 1
    assert found["foxtrot_part_ok['', 'foxtrot-engine']"] == 1
    platform.ask(lambda: platform.line.gate.block("paper", "BTCUSDT.BINANCE", GateState.ACTIVE, "", "test"))
    platform.ask(lambda: None)
    assert place.look().state == OK


def test_the_counters_of_events_balance(place: Place) -> None:
    statistics = place.platform.events.statistics
    assert place.platform.ask(lambda: True)
    place.watch.stopping()
    place.platform.stop()
    place.watch.status.write("ended")
    found = place.watch.health.latest_and_age_s()
    assert found is not None
    counters = found[0].counters
    assert counters["events_accepted"] == statistics().accepted
    assert counters["events_accepted"] == sum(
        counters[name] for name in ("events_handled", "events_conflated", "events_left")
    )


def test_a_stuck_main_thread_is_told_by_the_endpoint_itself(place: Place) -> None:
    health = place.look()
    served = HealthServer(HealthTable(), place.home, lambda: (health, 7.2), SystemClock())
    answer = served.handle(request("/health"))
    assert answer.status == 503
    told = json.loads(answer.body)
    assert told["state"] == HALTED
    assert told["reasons"] == ["the main thread has told nothing for 7 s"]
    assert b'foxtrot_state{state="halted"} 1.0' in served.handle(request("/metrics")).body
    starting = HealthServer(HealthTable(), place.home, lambda: None, SystemClock())
    assert starting.handle(request("/health")).status == 503


def test_a_stuck_engine_is_halted_while_the_endpoint_answers(tmp_path: Path) -> None:
    with Place(tmp_path, "blocked_s = 0.2\n") as place:
        entered, release = threading.Event(), threading.Event()

        def stands(_changed: OrderChanged) -> None:
            entered.set()
            release.wait(10)

        place.platform.ask(
            lambda: place.platform.events.dispatcher.subscribe(OrderChanged, stands, owner="test")  # type: ignore[arg-type,return-value]
        )
        try:
            request_ = OrderRequest("NONE.BINANCE", "paper", Side.BUY, OrderType.MARKET, 1.0)
            place.platform.put(SendOrder(request_, "manual"))
            assert entered.wait(5)
            wait_until(lambda: place.look().state == HALTED)
            status, _, body = place.get("/health")
            assert status == 503
            assert "foxtrot-engine is blocked" in str(json.loads(body)["reasons"])
        finally:
            release.set()


def test_every_thread_of_a_run_is_supervised(tmp_path: Path) -> None:
    """All that `foxtrot run` starts: whoever adds a thread enters it, for a new one is found here."""
    (tmp_path / "home").mkdir(mode=0o700)
    (tmp_path / "foxtrot.toml").write_text(CONFIG)
    before = {one.ident for one in threading.enumerate()}
    log = start_logging(stream=io.StringIO())
    config, home = load_config(tmp_path / "foxtrot.toml"), tmp_path / "home"
    around = surroundings_of(config, home)
    platform = MainEngine(
        config, home, journal=PlatformJournal(config.data_dir(home), config, around.clock), around=around
    )
    control = ControlServer(platform, home)
    control.start()
    with PlatformWatch(platform, log, {}) as watch:
        platform.start()
        watch.started()
        idents = {part.thread() for part in watch.registry.parts()}
        names = sorted(one.name for one in threading.enumerate() if one.ident not in before)
        missing = sorted(one.name for one in threading.enumerate() if one.ident not in before | idents)
        watch.stopping()
        platform.stop()
        watch.ended()
    control.stop()
    log.stop()
    assert missing == []
    assert names == [
        "foxtrot-control", "foxtrot-engine", "foxtrot-health", "foxtrot-journal", "foxtrot-log", "foxtrot-pace", "recorder", "simulated-io",
    ]  # fmt: skip


def test_the_log_of_the_process_is_a_part_and_what_it_lost_is_counted(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o700)
    (tmp_path / "foxtrot.toml").write_text(CONFIG)
    log = start_logging(stream=io.StringIO())
    try:
        platform = MainEngine(load_config(tmp_path / "foxtrot.toml"), tmp_path / "home")
        watch = PlatformWatch(platform, log)
        assert "foxtrot-log" in {part.name for part in watch.registry.parts()}
        counters = watch.health.look(()).counters
        assert counters["log_lines_dropped"] == counters["log_writes_failed"] == 0
        platform.stop()
    finally:
        log.stop()


def request(path: str):  # type: ignore[no-untyped-def]
    from foxtrot.app.loopback_http import HttpRequest

    return HttpRequest("GET", path, {}, b"")
