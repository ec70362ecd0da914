"""What a status file means: alive, frozen, ended or gone, and what needs a person."""

import json
import os
import re
from pathlib import Path

import pytest

from foxtrot.app.process_table import process_start
from foxtrot.app.run_lock import RunLock
from foxtrot.app.status_reading import FROZEN_S, Life, Reading, read_status
from foxtrot.app.verbs.status_table import status_text
from foxtrot.domain.errors import FoxtrotError

NOW_NS = 1_800_000_000 * 10**9


def account(**changes: object) -> dict[str, object]:
    """A healthy account as the file has it."""
    return {
        "account": "main", "adapter": "binance", "environment": "testnet", "real_money": False, "state": "ready", "cause": "",
        "state_s": 60.0, "up": True, "uptime_s": 61.5, "reconnects": 2, "last_cause": "", "messages_per_s": 12.5,
        "last_age_s": 0.25, "rest_fallbacks": 3, "connections": {"replacements": 4},
        "alerts": 0, "falls_back_often": False, "breakers": {"user": "closed"},
        "venue_latency_p50_ms": 4.0, "venue_latency_p99_ms": 9.0, "engine_latency_p50_ms": 0.1, "engine_latency_p99_ms": 0.4,
        "book_paths": {"stream": {"count": 7, "latency": {"p50_ms": 0.5, "p99_ms": 1.5}, "age": {"p50_ms": 20.0, "p99_ms": 90.0}}},
        "books": {"BTCUSDT.BINANCE": book()},
        **changes,
    }  # fmt: skip


def book(**changes: object) -> dict[str, object]:
    return {
        "implementation": "depth_cache", "state": "live", "update_id": 4_711, "age_ms": 31.0, "gaps": 1, "resyncs": 2, "crossings": 0,
        "audits": 3, "match_score": 1.0, "sick_s": 0.0, **changes,
    }  # fmt: skip


def status(**changes: object) -> dict[str, object]:
    """A healthy platform as the file has it: this very process."""
    return {
        "stage": "running", "pid": os.getpid(), "process_start": process_start(os.getpid()), "mode": "paper",
        "written_ns": NOW_NS - 10**9, "sick_book_s": 60.0,
        "engine": {"handled": 12_345, "depth": 0, "lag_p99_us": 81.0, "stalled_in": "", "gate": "active", "gate_reason": ""},
        "accounts": [account()],
        "strategies": [{"strategy_id": "ma", "account": "main", "state": "running", "reason": ""}],
        **changes,
    }  # fmt: skip


def strategy(**changes: object) -> dict[str, object]:
    return {"strategy_id": "ma", "account": "main", "state": "loaded", "reason": "", **changes}


def read(home: Path, **changes: object) -> Reading:
    (home / "status.json").write_text(json.dumps(status(**changes)))
    return read_status(home, NOW_NS)


def test_without_a_file_none_has_run(tmp_path: Path) -> None:
    assert read_status(tmp_path, NOW_NS) == Reading(Life.NONE)


@pytest.mark.parametrize("before", [None, {"stage": "ended", "pid": 1}, {"pid": 999_999_999}])
def test_one_that_holds_the_home_and_has_told_nothing_is_starting(
    tmp_path: Path, before: dict[str, object] | None
) -> None:
    lock = RunLock(tmp_path)
    lock.take()
    if before is not None:
        read(tmp_path, **before)
    assert read_status(tmp_path, NOW_NS).life is Life.STARTING
    lock.release()
    assert read_status(tmp_path, NOW_NS).life is not Life.STARTING


def test_one_that_has_ended_and_holds_the_home_for_a_moment_more_has_ended(tmp_path: Path) -> None:
    lock = RunLock(tmp_path)
    lock.take()
    assert read(tmp_path, stage="ended").life is Life.ENDED
    lock.release()


def test_a_young_word_of_a_living_process_is_a_running_platform(tmp_path: Path) -> None:
    reading = read(tmp_path)
    assert (reading.life, reading.age_s, reading.needs_person, reading.lives) == (Life.RUNNING, 1.0, (), True)
    assert reading.status["mode"] == "paper"


@pytest.mark.parametrize(
    ("changes", "life"),
    [
        ({"stage": "stopping"}, Life.STOPPING),
        ({"stage": "stopping", "written_ns": NOW_NS - 30 * 10**9}, Life.STOPPING),
        ({"stage": "stopping", "written_ns": NOW_NS - 60 * 10**9}, Life.FROZEN),
        ({"stage": "ended"}, Life.ENDED),
        ({"accounts": [account(), account(account="slow", state="connecting", was_ready=False)]}, Life.STARTING),
        ({"accounts": [account(state="connecting", was_ready=False)], "stage": "stopping"}, Life.STOPPING),
        ({"strategies": [strategy()]}, Life.STARTING),
        ({"strategies": [strategy(autostart=False)]}, Life.RUNNING),
        ({"written_ns": NOW_NS - int((FROZEN_S + 1) * 10**9)}, Life.FROZEN),
        ({"written_ns": NOW_NS + 10**12}, Life.RUNNING),
        ({"pid": 999_999_999}, Life.GONE),
        ({"process_start": "another boot 1"}, Life.GONE),
    ],
)
def test_what_becomes_of_a_platform_is_told_apart(tmp_path: Path, changes: dict[str, object], life: Life) -> None:
    reading = read(tmp_path, **changes)
    assert reading.life is life
    assert reading.age_s >= 0
    assert bool(reading.needs_person) is (life is Life.FROZEN)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"written_ns": NOW_NS - 90 * 10**9}, "the platform is frozen: its process .* has told nothing for 90 s"),
        ({"accounts": [account(state="failed", cause="the key is refused")]}, "account main failed: the key is refused"),
        ({"accounts": [account(books={"X.V": book(state="stale", sick_s=61.0)})]}, "the book of X.V on main has been stale for 61 s"),
        (
            {"accounts": [account(state="connecting", was_ready=False, unready_s=61.0, last_cause="connection refused")]},
            r"account main has not been READY since 2027-01-15 07:58:58 UTC \(61 s\): connecting, last cause: connection refused",
        ),
        ({"accounts": [account(state="lost", cause="reset", unready_s=11.0)], "not_ready_s": 10.0}, r"\(11 s\): lost, last cause: reset"),
        ({"strategies": [{"strategy_id": "ma", "account": "a", "state": "failed", "reason": "half-way"}]}, "strategy ma failed: half-way"),
        ({"engine": {**dict(status()["engine"]), "stalled_in": "ma.py:7 in on_tick"}}, "held up in ma.py:7 in on_tick"),  # type: ignore[call-overload]
        ({"health": {"parts": [{"name": "recorder", "state": "dead", "reason": "no more"}]}}, "recorder is dead: no more"),
        ({"engine": {**dict(status()["engine"]), "gate": "closed", "gate_reason": "kill"}}, "the gate is closed: kill"),  # type: ignore[call-overload]
    ],
)  # fmt: skip
def test_what_needs_a_person_is_said(tmp_path: Path, changes: dict[str, object], words: str) -> None:
    (need,) = read(tmp_path, **changes).needs_person
    assert re.search(words, need), need


@pytest.mark.parametrize(
    "changes",
    [
        {"accounts": [account(state="backing_off", cause="reset", unready_s=59.0)]},
        {"accounts": [account(state="lost", cause="closed", unready_s=99.0)], "stage": "stopping"},
        {"accounts": [account(books={"X.V": book(state="syncing", sick_s=59.0)})]},
        {"strategies": [{"strategy_id": "ma", "account": "a", "state": "stopped", "reason": "on_stop"}]},
    ],
)
def test_what_the_platform_gets_right_by_itself_needs_nobody(tmp_path: Path, changes: dict[str, object]) -> None:
    assert read(tmp_path, **changes).needs_person == ()


@pytest.mark.parametrize("text", ["", "{ half", "[]", "{}", '{"stage": 7}'])
def test_a_file_that_is_no_status_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "status.json").write_text(text)
    with pytest.raises(FoxtrotError, match=r"status\.json is no status of a platform"):
        read_status(tmp_path, NOW_NS)


def test_the_tables_show_connections_books_ways_and_strategies(tmp_path: Path) -> None:
    failed = account(
        account="spare", state="failed", cause="the [key] is refused", books={}, breakers={"market": "open"}
    )
    text = status_text(read(tmp_path, accounts=[account(), failed]))
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert lines[0].startswith(f"running: pid {os.getpid()}, paper, told 1.0 s ago; engine: 12,345 events")
    assert "main binance testnet ready 61.5 2 4 12.5 0.25 4/9 0.1/0.4 3 0 closed" in lines
    assert any(
        line.startswith("spare binance testnet failed") and line.endswith("market open the [key] is refused")
        for line in lines
    )
    assert "BTCUSDT.BINANCE main depth_cache live 0 31.0 4,711 1 2 0 3 1" in lines
    assert "stream main 7 0.5/1.5 20.0/90.0" in lines
    assert "ma main running" in lines
    assert lines[-1] == "needs a person: account spare failed: the [key] is refused"


def block(age_s: float, **changes: object) -> dict[str, object]:
    return {
        "account": "main", "instrument_id": "", "state": "halted", "reason": "not reconciled yet", "who": "reconcile",
        "since_ns": NOW_NS - int((age_s + 1) * 10**9), "lasting": False, "killed": False, **changes,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("blocked", "need"),
    [
        (block(59.0), ""),
        (block(61.0), "account main lets through nothing since 2027-01-15 07:58:58 UTC by reconcile: not reconciled yet"),
        (block(61.0, state="reducing"), ""),
        (block(0.0, instrument_id="BTC", reason="differs"), "BTC on main is halted since 2027-01-15 07:59:59 UTC by reconcile: differs"),
        (
            block(0.0, account="", who="Ann", reason="mad", killed=True),
            "killed since 2027-01-15 07:59:59 UTC by Ann: mad; `foxtrot resume --why TEXT` lets it trade again",
        ),
    ],
)  # fmt: skip
def test_what_is_blocked_is_shown_and_needs_a_person_if_it_stays(
    tmp_path: Path, blocked: dict[str, object], need: str
) -> None:
    reading = read(tmp_path, blocks=[blocked])
    assert reading.needs_person == ((need,) if need else ())
    shown = status_text(reading)
    assert all(word in shown for word in ("lets through", str(blocked["who"]), str(blocked["reason"])))
    assert ("KILLED: mad" in shown) is blocked["killed"]
