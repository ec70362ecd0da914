"""`foxtrot roll` in a running platform: both legs shown before and after, each journaled, the next run told what was cut."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from foxtrot.app.config import Config, load_config
from foxtrot.app.main_engine import MainEngine
from foxtrot.app.replay import replay_run
from foxtrot.core.clock import SystemClock
from foxtrot.domain.enums import GateState
from foxtrot.exchange.dated_listings import es_futures
from foxtrot.storage.journal import InMemoryJournal
from foxtrot.storage.journal_reader import read_only
from foxtrot.storage.journal_records import Intent, RollKept, SettingChanged
from tests.support.steered_platform import Steered, recorded, steered
from tests.support.waiting import wait_until

FRONT, NEXT = (one.instrument_id for one in es_futures(SystemClock().now_ns()))
CONFIG = """
[platform]
base_currency = "USD"

[risk]
roll_days = 0

[account.paper]
adapter = "simulated"
settings = {{ instruments = "{front}, {next}", balances = "USD=1000000", fees = "ib_us_futures" }}

[strategy.holder]
class = "{folder}/future_holder.py:Holder"
account = "paper"
symbols = ["{front}"]
capital = 500000
"""
STRATEGY = '''
from foxtrot.api import Strategy


class Holder(Strategy):
    """Buys two contracts once."""

    def on_start(self):
        self.asked = False

    def on_tick(self, tick):
        if not self.asked and tick.bid_price and tick.ask_price:
            self.asked = True
            self.buy(2)
'''


def configured(folder: Path) -> Path:
    """Write the strategy and a configuration that runs it."""
    (folder / "future_holder.py").write_text(STRATEGY)
    path = folder / "futures.toml"
    path.write_text(CONFIG.format(folder=folder, front=FRONT, next=NEXT))
    return path


@pytest.fixture
def platform(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Steered]:
    path = configured(tmp_path)

    def make(_config: Config, home: Path) -> MainEngine:
        return MainEngine(load_config(path), home)

    with steered(tmp_path, capsys, make=make) as running:
        wait_until(lambda: held(running) == (2.0, 0.0))
        yield running


def held(running: Steered) -> tuple[float, float]:
    def look() -> tuple[float, float]:
        found = (running.platform.line.portfolio.position("holder", "paper", name) for name in (FRONT, NEXT))
        front, later = (0.0 if position is None else float(position.exact_quantity) for position in found)
        return front, later

    return running.platform.ask(look)


def records(running: Steered) -> list[object]:
    journal = running.platform.line.journal
    assert isinstance(journal, InMemoryJournal)
    return list(journal.records)


def test_one_command_rolls_a_position_and_shows_both_legs_first_and_at_the_end(platform: Steered) -> None:
    status, out, err = platform.say("roll", FRONT, NEXT, "--as", "Ann")
    assert (status, held(platform)) == (0, (0.0, 2.0))
    for told in (err, out):
        words = " ".join(told.split())
        assert f"close {FRONT} sell 2" in words
        assert f"open {NEXT} buy 2" in words
    assert f"0 of 2 {FRONT} closed, 0 {NEXT} opened" in err
    assert out.rstrip().endswith(f"2 of 2 {FRONT} closed, 2 {NEXT} opened")
    intents = [record.order for record in records(platform) if isinstance(record, Intent)]
    assert [(one.instrument_id, one.strategy_id, one.reduces) for one in intents[1:]] == [
        (FRONT, "holder", True), (NEXT, "holder", False),
    ]  # fmt: skip
    assert [bool(record.state) for record in records(platform) if isinstance(record, RollKept)][-1] is False


def test_a_plan_shows_both_legs_and_does_nothing(platform: Steered) -> None:
    status, told = platform.ask("roll", FRONT, NEXT, "--quantity", "1", "--plan")
    assert status == 0
    legs = told["planned"]["legs"]  # type: ignore[index]
    assert [(leg["instrument_id"], leg["side"], leg["quantity"]) for leg in legs] == [
        (FRONT, "sell", 1),
        (NEXT, "buy", 1),
    ]
    assert held(platform) == (2.0, 0.0)
    assert not any(isinstance(record, RollKept) for record in records(platform))


def test_what_cannot_be_rolled_is_refused_before_anything_is_done(
    platform: Steered, capsys: pytest.CaptureFixture[str]
) -> None:
    for words, says in (
        ((FRONT, FRONT), "cannot be rolled into itself"),
        ((FRONT, "NQH7.CME"), "instrument NQH7.CME is not known"),
        ((NEXT, FRONT), f"nothing of {NEXT} is held there"),
        ((FRONT, NEXT, "--quantity", "3"), "at most the 2 held"),
        ((FRONT, NEXT, "--forget"), "nothing to forget"),
    ):
        status, _, err = platform.say("roll", *words, "--as", "Ann")
        assert (status, says in err) == (2, True), err
    assert held(platform) == (2.0, 0.0)


def test_a_roll_that_cannot_begin_needs_a_person_and_goes_on_when_it_can(platform: Steered) -> None:
    line = platform.platform.line
    platform.platform.ask(lambda: line.gate.block("paper", NEXT, GateState.REDUCING, "Ann looks at it"))
    status, out, _ = platform.say("roll", FRONT, NEXT, "--as", "Ann", "--wait", "0.5")
    assert (status, held(platform)) == (3, (2.0, 0.0))
    assert out.rstrip().endswith(f"0 of 2 {FRONT} closed, 0 {NEXT} opened")
    platform.platform.ask(lambda: line.gate.block("paper", NEXT, GateState.ACTIVE, "fine"))
    wait_until(lambda: held(platform) == (0.0, 2.0))


def test_a_run_in_which_a_position_was_rolled_replays_equal_and_its_journal_says_who_wished_for_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, tapes = configured(tmp_path), []

    def make(_config: Config, home: Path) -> MainEngine:
        platform, tape = recorded(load_config(path), home)
        tapes.append(tape)
        return platform

    with steered(tmp_path, capsys, make=make) as running:
        wait_until(lambda: held(running) == (2.0, 0.0))
        status, out, err = running.say("roll", FRONT, NEXT, "--as", "Ann", "--why", "it ends")
        assert (status, held(running)) == (0, (0.0, 2.0)), (out, err)
        journal = running.platform.config.data_dir(running.home) / "journal.db"
    with read_only(journal) as view:
        found = [row.record for row in view.newest_first()][::-1]
    changes = [(one.scope, one.name, one.after, one.who) for one in found if isinstance(one, SettingChanged)]
    assert ("roll", f"{FRONT} into {NEXT}", "begin (it ends)", "Ann") in changes
    assert [bool(one.state) for one in found if isinstance(one, RollKept)][-1] is False
    result = replay_run(tapes[0])
    assert result.difference is None
    assert (result.equal, result.intents) == (True, 3)
