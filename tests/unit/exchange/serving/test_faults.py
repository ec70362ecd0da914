"""Faults as data: scripts that are read, scripts that are refused, and which fault acts when."""

import msgspec
import pytest

from foxtrot.domain.errors import ConfigError
from foxtrot.exchange.fault_script import FaultScript, Place
from foxtrot.exchange.faults import KINDS, Fault, Scope, read_fault

SECOND_NS = 1_000_000_000
ORDER = Place("spot", "POST /api/v3/order", account="alice")
DEPTH = Place("usdm", stream="btcusdt@depth", kinds=("public",))


def read(script: str) -> tuple[Fault, ...]:
    tables = msgspec.toml.decode(script)["fault"]
    return tuple(read_fault(table, f"fault {number}") for number, table in enumerate(tables, 1))


def test_a_script_is_read() -> None:
    script = """
        [[fault]]
        kind = "ack_lost"
        endpoint = "POST /api/v3/order"
        after = 2
        [[fault]]
        kind = "gap"
        product = "usdm"
        count = 3
        [[fault]]
        kind = "banned"
        for_s = 60.5
    """
    lost, gap, banned = read(script)
    assert lost == Fault("ack_lost", endpoint="POST /api/v3/order", after=2)
    assert (lost.limit, gap.limit, banned.limit) == (1, 3, 0)
    assert (gap.streams, banned.life_s) == ("*@depth*", 60.5)


@pytest.mark.parametrize(
    ("script", "message"),
    [
        ("[[fault]]\nproduct = 'spot'", "kind = None"),
        ("[[fault]]\nkind = 'go_silnt'", "fault 1: kind = 'go_silnt' is not known; did you mean go_silent"),
        ("[[fault]]\nkind = 'gap'\ncuont = 3", "gap takes no cuont = 3; did you mean count"),
        ("[[fault]]\nkind = 'gap'\nstatus = 502", "takes no status"),
        ("[[fault]]\nkind = 'gap'\nproduct = 'usdn'", "did you mean usdm"),
        ("[[fault]]\nkind = 'gap'\nconnection = 'pubic'", "did you mean public"),
        ("[[fault]]\nkind = 'gap'\ncount = 'x'", "Expected `int | null`, got `str`"),
        ("[[fault]]\nkind = 'gap'\nafter = -1", "after = -1 must be 0 or above"),
        ("[[fault]]\nkind = 'gap'\nfor_s = nan", "for_s = nan"),
        ("[[fault]]\nkind = 'http_status'", "http_status needs status"),
        ("[[fault]]\nkind = 'http_status'\nstatus = 99", "between 200 and 599"),
        ("[[fault]]\nkind = 'expire_listen_key'", "needs account"),
        ("[[fault]]\nkind = 'farm_broken'\ntext = 'moon'", "usfarm, ushmds, secdefil"),
        ("[[fault]]\nkind = 'upstream_lost'\ncode = 1100", "must be 1101 (data lost) or 1102 (data kept)"),
        ("[[fault]]\nkind = 'split_handshake'\nproduct = 'futu'", "has no fault split_handshake"),
        ("[[fault]]\nkind = 'ack_lost'\nendpoint = '/api/v3/order'", 'write it as "POST /api/v3/order"'),
    ],
)
def test_a_script_that_is_wrong_is_refused_by_name(script: str, message: str) -> None:
    with pytest.raises(ConfigError) as refused:
        read(script)
    assert message in str(refused.value)


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_takes_the_settings_it_names(kind: str) -> None:
    samples = {
        "status": 502, "code": 1011, "msg": "m", "retry_after_s": 1.0, "executed": True, "hang": True, "reset": True, "delay_s": 1.0,
        "lag": 3, "text": "t", "skew_ms": 5, "down_s": 1.0, "symbol": "BTCUSDT", "side": "SELL", "quantity": "1",
        "price": "2",
    }  # fmt: skip
    samples |= {"farm_broken": {"text": "ushmds"}}.get(kind, {})
    if kind in ("upstream_lost", "nightly_reset"):
        samples["code"] = 1101
    table = {key: samples[key] for key in KINDS[kind].takes}
    fault = read_fault({"kind": kind, "account": "a", **table})
    assert {key: getattr(fault, key) for key in table} == table


def script_of(*faults: Fault) -> FaultScript:
    script = FaultScript()
    for fault in faults:
        script.arm(fault, 0)
    return script


def fired(script: FaultScript, scope: Scope, place: Place, now_ns: int = 0) -> int:
    armed = script.take(scope, place, now_ns)
    return armed.number if armed else 0


def test_after_and_count_are_of_matches_alone() -> None:
    script = script_of(Fault("ack_lost", endpoint="POST *", after=1, count=2))
    elsewhere = Place("spot", "GET /api/v3/order")
    assert [fired(script, Scope.REQUEST, place) for place in (ORDER, elsewhere, ORDER, ORDER, ORDER)] == [0, 0, 1, 1, 0]


def test_the_first_fault_that_matches_acts_and_the_next_when_it_is_spent() -> None:
    script = script_of(Fault("ack_lost"), Fault("html", account="alice"), Fault("delay", account="bob"))
    assert [fired(script, Scope.REQUEST, ORDER) for _ in range(3)] == [1, 2, 0]
    assert fired(script, Scope.FRAME, DEPTH) == 0


@pytest.mark.parametrize(
    ("fault", "acts"),
    [
        (Fault("gap"), True),
        (Fault("gap", product="spot"), False),
        (Fault("gap", stream="btcusdt@depth@100ms"), True),
        (Fault("gap", stream="btcusdt@*"), True),
        (Fault("gap", stream="ethusdt@depth"), False),
        (Fault("gap", connection="public"), True),
        (Fault("gap", connection="private"), False),
        (Fault("gap", account="alice"), False),
        (Fault("duplicate_fills"), False),
        (Fault("go_silent"), True),
    ],
)
def test_a_fault_acts_where_it_says(fault: Fault, acts: bool) -> None:
    assert bool(fired(script_of(fault), Scope.FRAME, DEPTH)) is acts


def test_a_fault_lasts_from_its_time_for_its_time() -> None:
    script = script_of(Fault("go_silent", at_s=2, for_s=3))
    moments = [fired(script, Scope.FRAME, DEPTH, second * SECOND_NS) for second in (0, 1, 2, 4, 5, 6)]
    assert moments == [0, 0, 1, 1, 0, 0]
    assert not script.has((Scope.FRAME,), 6 * SECOND_NS)


@pytest.mark.parametrize(
    ("fault", "life_s"), [(Fault("banned"), 60), (Fault("banned", retry_after_s=5), 5), (Fault("banned", count=1), 0)]
)
def test_a_limit_is_over_when_its_retry_after_is(fault: Fault, life_s: float) -> None:
    assert fault.life_s == life_s


def test_faults_are_removed_one_by_one_or_together() -> None:
    script = script_of(Fault("gap"), Fault("gap"), Fault("gap"))
    assert script.disarm(2) == 1
    assert [armed.number for armed in script.armed()] == [1, 3]
    assert script.disarm() == 2
    assert script.arm(Fault("gap"), 0).number == 4
