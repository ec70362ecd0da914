"""A ban outlives the process that earned it: the next one asks nothing before its end."""

from collections.abc import Iterator
from pathlib import Path
from random import Random

import msgspec
import pytest

from foxtrot.adapter.binance.adapter import BinanceAdapter
from foxtrot.core.secret import Secret
from foxtrot.domain.enums import AdapterState
from foxtrot.domain.errors import RateLimited
from foxtrot.domain.subscription import SubscribeRequest
from tests.support.binance_bench import KEY, SECRET, BinanceBench

BAN_S = 7_200
FUTURES = "fapiPrivateGetOpenOrders"


@pytest.fixture(params=["spot", "usdm"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[BinanceBench]:
    with BinanceBench(request.param) as made:
        made.adapter = _of_home(made, tmp_path)
        made.connect()
        yield made


def _of_home(bench: BinanceBench, home: Path) -> BinanceAdapter:
    secrets = {"api_key": Secret(KEY), "api_secret": Secret(SECRET)}
    return BinanceAdapter(msgspec.structs.replace(bench.adapter.context, home=home, secrets=secrets), Random(1))


def _reached(bench: BinanceBench) -> int:
    """Return how many connections and requests of any kind the venue has had."""
    return bench.server.call(
        lambda server: (
            server._doors.shared.traffic.connections.total() + sum(server._doors.shared.traffic.requests.values())
        )
    )


def _ban(bench: BinanceBench, kind: str) -> None:
    number = bench.fault(kind, retry_after_s=BAN_S)
    session, question = bench.adapter.session, "privateGetOpenOrders" if bench.product == "spot" else FUTURES
    with pytest.raises(RateLimited):
        session.bridge.submit(session.door.request(question, {})).result(10)
    bench.server.clear_faults(number)


@pytest.mark.parametrize("kind", ["banned", "too_many_requests"])
def test_a_new_process_asks_nothing_before_the_end_of_the_ban(bench: BinanceBench, tmp_path: Path, kind: str) -> None:
    _ban(bench, kind)
    bench.adapter.close()
    bench.adapter, since, before = _of_home(bench, tmp_path), len(bench.heard), _reached(bench)
    bench.adapter.subscribe(SubscribeRequest(bench.instrument_id))
    bench.adapter.connect()
    told = bench.wait_state(AdapterState.BACKING_OFF, since)
    assert "fewer requests" in told.cause
    assert told.delay_s >= BAN_S - 1
    bench.advance(BAN_S - 2)
    assert AdapterState.READY not in bench.heard.states(since)
    assert _reached(bench) == before
    bench.come_back(since)
    assert _reached(bench) > before


def test_another_home_and_another_host_know_nothing_of_it(bench: BinanceBench, tmp_path: Path) -> None:
    _ban(bench, "banned")
    assert _of_home(bench, tmp_path).session.door.quiet_s == pytest.approx(BAN_S)
    assert _of_home(bench, tmp_path / "other").session.door.quiet_s == 0
    assert bench.adapter.session.settings.host == f"127.0.0.1:{bench.port}"
    (file,) = (tmp_path / "bans").iterdir()
    assert file.name == f"127.0.0.1_{bench.port}.json"
    assert file.stat().st_mode & 0o777 == 0o600
