"""What cannot be counted of other people's orders blocks their place and halts nothing."""

import pytest

from foxtrot.core.notices import GateChanged, HandlerFailed, OpenOrdersLoaded, RequestFailed, TradesLoaded
from foxtrot.domain.account import EXTERNAL
from foxtrot.domain.enums import GateState, OrderStatus, Side
from foxtrot.domain.order import OrderData, TradeData
from foxtrot.trading import orphans
from tests.support.builders import (
    ACCOUNT,
    T0,
    TradingFloor,
    a_perpetual,
    a_request,
    a_tick,
    a_trade,
    an_order,
)

ID, ETH = "BTCUSDT.PERP", "ETHUSDT.PERP"
UNLISTED = [a_trade("web_1", instrument_id="nowhere"), an_order("web_1", instrument_id="nowhere")]
TOO_FINE = [
    a_trade("web_1", price=100.05), a_trade("web_1", quantity=0.0005), an_order("web_1", quantity=1.0005),
    an_order("web_1", OrderStatus.PARTIALLY_FILLED, 0.0005, 100.0),
]  # fmt: skip


def floor() -> TradingFloor:
    made = TradingFloor(a_perpetual(), a_perpetual("ETHUSDT"), accounts=(ACCOUNT, "second"))
    made.put(a_tick(), a_tick(ETH))
    made.hold(1000)
    return made


def rules(made: TradingFloor, quantity: float = 0.1) -> dict[str, str]:
    """By which rule an entry is refused, by place."""
    places = {"here": (ACCOUNT, ID), "beside": (ACCOUNT, ETH), "elsewhere": ("second", ID)}
    return {
        name: made.send(a_request(Side.BUY, quantity, instrument_id=instrument, account=account)).rule
        for name, (account, instrument) in places.items()
    }


@pytest.mark.parametrize("fact", UNLISTED)
def test_a_fact_in_an_unlisted_instrument_lets_its_account_only_reduce(fact: OrderData | TradeData) -> None:
    made = floor()
    made.put(fact)
    assert made.gate.state is GateState.ACTIVE
    assert made.heard(HandlerFailed) == []
    assert rules(made) == {"here": "gate", "beside": "gate", "elsewhere": ""}
    assert made.send(a_request(Side.SELL, 0.1)).rule == ""
    assert made.desk.orphans.facts(ACCOUNT) == [fact]
    assert "load the account's contracts first" in made.heard(RequestFailed)[0].error  # type: ignore[attr-defined]


@pytest.mark.parametrize("fact", TOO_FINE)
def test_a_fact_finer_than_the_grid_lets_its_instrument_only_be_reduced(fact: OrderData | TradeData) -> None:
    made = floor()
    made.put(fact)
    assert made.gate.state is GateState.ACTIVE
    assert rules(made) == {"here": "gate", "beside": "", "elsewhere": ""}
    assert made.desk.orphans.facts(ACCOUNT) == [fact]
    assert made.desk.order("web_1") is None
    assert "grid" in made.gate.blocked(ACCOUNT, ID)[1]  # type: ignore[index]


def test_the_rest_of_a_list_with_an_orphan_is_counted() -> None:
    made = floor()
    made.put(OpenOrdersLoaded(ACCOUNT, (UNLISTED[1], an_order("web_2")), T0))  # type: ignore[arg-type]
    made.put(TradesLoaded(ACCOUNT, (UNLISTED[0], a_trade("web_3")), T0))  # type: ignore[arg-type]
    assert [record.key for record in made.desk.open_records(EXTERNAL)] == ["web_2"]
    assert [trade.order_id for trade in made.desk.fills(ACCOUNT)] == ["web_3"]


def test_the_same_orphan_is_told_once_however_often_it_comes() -> None:
    made = floor()
    made.put(*UNLISTED, *UNLISTED)
    assert (len(made.heard(RequestFailed)), len(made.heard(GateChanged))) == (2, 1)


def test_a_later_report_of_a_strangers_order_that_is_too_fine_is_an_orphan_and_changes_nothing() -> None:
    made = floor()
    made.put(an_order("web_1"), an_order("web_1", OrderStatus.PARTIALLY_FILLED, 0.0005, 100.0))
    order = made.desk.order("web_1")
    assert order is not None
    assert (order.status, order.filled_quantity) == (OrderStatus.ACCEPTED, 0.0)
    assert made.gate.blocked(ACCOUNT, ID) is not None


def test_an_orphan_neither_loosens_nor_lifts_a_block_of_somebody_else() -> None:
    made = floor()
    made.gate.block(ACCOUNT, "", GateState.HALTED, "by hand")
    made.put(UNLISTED[0])
    made.desk.orphans.release(ACCOUNT)
    assert made.gate.blocked(ACCOUNT, "") == (GateState.HALTED, "by hand")


def test_release_lifts_the_block_of_its_account_alone_and_a_new_orphan_blocks_anew() -> None:
    made = floor()
    made.put(UNLISTED[0], a_trade("web_1", instrument_id="nowhere", account="second"))
    made.desk.orphans.release(ACCOUNT)
    assert (made.desk.orphans.facts(ACCOUNT), len(made.desk.orphans.facts("second"))) == ([], 1)
    assert rules(made) == {"here": "", "beside": "", "elsewhere": "gate"}
    made.put(UNLISTED[0])
    assert rules(made, 0.2) == {"here": "gate", "beside": "gate", "elsewhere": "gate"}


def test_no_more_orphans_are_kept_than_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(orphans, "ORPHAN_LIMIT", 2)
    made = floor()
    made.put(*(a_trade("web_1", str(index), instrument_id="nowhere") for index in range(3)))
    assert [fact.trade_id for fact in made.desk.orphans.facts(ACCOUNT)] == ["1", "2"]  # type: ignore[union-attr]
