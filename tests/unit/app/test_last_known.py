"""What is made of the answers of a journal, whose platform is gone: protection that died with it, and slippage."""

from decimal import Decimal
from pathlib import Path

import pytest

from foxtrot.app.control_place import last_config
from foxtrot.app.control_requests import ListOrders, PositionRow, Positions, TradeRow
from foxtrot.app.last_known import _slipped, _unwatched, ask_journal, journal_path, with_slippage
from foxtrot.core.clock import ManualClock


def a_position(protection: str) -> PositionRow:
    return PositionRow("one", "main", "BTCUSDT.TEST", "net", 1.0, 100.0, None, protection)


def a_fill(side: str, price: float) -> TradeRow:
    return TradeRow(
        1, "t1", "F-one-0000000000-1", "one", "main", "BTCUSDT.TEST", side, price, 1.0, Decimal(0), "USDT", "taker"
    )


def test_what_only_the_process_watched_is_naked_without_it() -> None:
    told = _unwatched(Positions((a_position("while this process lives"), a_position("at the venue")), ()))
    assert isinstance(told, Positions)
    assert [(row.protection, bool(row.remark)) for row in told.positions] == [("naked", True), ("at the venue", False)]


@pytest.mark.parametrize(
    ("side", "price", "touch", "slippage"),
    [("buy", 101.5, 101.0, 0.5), ("sell", 98.5, 99.0, 0.5), ("sell", 99.5, 99.0, -0.5), ("buy", 101.0, 0.0, None)],
)
def test_slippage_above_0_is_to_our_cost(side: str, price: float, touch: float, slippage: float | None) -> None:
    assert _slipped(a_fill(side, price), touch).slippage == slippage


def test_where_nothing_ever_ran_nothing_is_known(tmp_path: Path) -> None:
    assert ask_journal(tmp_path, ListOrders(), ManualClock(1)) is None
    assert with_slippage(tmp_path, (a_fill("buy", 1.0),)) == (a_fill("buy", 1.0),)
    assert last_config(tmp_path) is None


def test_a_journal_is_looked_for_where_the_configuration_that_ran_last_keeps_it(tmp_path: Path) -> None:
    assert journal_path(tmp_path) == tmp_path / "data" / "journal.db"
    config = tmp_path / "my.toml"
    config.write_text(f'[platform]\ndata_dir = "{tmp_path}/elsewhere"\n')
    (tmp_path / "status.json").write_text(f'{{"config": "{config}"}}')
    assert last_config(tmp_path) == config
    assert journal_path(tmp_path) == tmp_path / "elsewhere" / "journal.db"
    config.write_text("[broken")
    assert journal_path(tmp_path) == tmp_path / "data" / "journal.db"
