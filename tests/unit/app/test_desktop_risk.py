"""What stands against each limit: the worst of positions and open orders, losses, messages; nothing is counted by looking."""

from decimal import Decimal

import pytest

from foxtrot.app.desktop_risk import RiskAnswers
from foxtrot.app.desktop_risk_requests import LimitUse
from foxtrot.domain.enums import OrderType, Side
from foxtrot.domain.order import OrderRequest
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.trading.limits import Limits, LimitTable
from tests.support.instruments import a_perpetual
from tests.support.line_rig import LineRig

NAME = "BTCUSDT.PERP"
FREE = {"quote_age_s": 0.0, "duplicate_window_s": 0.0, "price_collar": 0.0, "market_sweep": 0.0}
TABLE = LimitTable(
    platform=Limits(
        **FREE, messages_per_s=7, max_position=10.0, max_exposure=Decimal(5_000), max_order_quantity=4.0,
        max_daily_loss=Decimal(50), max_open_orders=5,
    ),
    accounts={"main": Limits(**FREE, messages_per_s=20, max_drawdown=Decimal(9))},
)  # fmt: skip


@pytest.fixture
def rig() -> LineRig:
    made = LineRig(a_perpetual(), limits=TABLE)
    made.line.adapters["main"].subscribe(SubscribeRequest(NAME))
    made.quote(99.0, 101.0)
    made.trade(100.0)
    return made


def used(rig: LineRig) -> dict[tuple[str, str], LimitUse]:
    found = RiskAnswers(rig.line, TABLE).overview()
    assert found.base_currency == "USDT"
    return {(use.scope, use.rule): use for use in found.uses}


def send(rig: LineRig, side: Side, quantity: float, price: float = 0.0) -> None:
    kind = OrderType.LIMIT if price else OrderType.MARKET
    rig.line.desk.submit(OrderRequest(NAME, "main", side, kind, quantity, price), "manual")
    rig.settle()
    assert not rig.line.desk.denied


def test_nothing_stands_against_any_limit_at_first(rig: LineRig) -> None:
    found = used(rig)
    assert found["platform", "max_position"].used == 0
    assert found["platform", "max_order_quantity"] == LimitUse(
        "platform", "", "", "max_order_quantity", Decimal("4.0"), None
    )
    assert ("platform", "max_drawdown") not in found
    assert found["account main", "max_drawdown"].limit == 9


def test_open_orders_count_with_what_is_held(rig: LineRig) -> None:
    send(rig, Side.BUY, 2.0)
    send(rig, Side.BUY, 3.0, 90.0)
    found = used(rig)
    worst = found["platform", "max_position"]
    assert (worst.used, worst.instrument_id) == (Decimal(5), NAME)
    assert found["platform", "max_exposure"].used == 5 * Decimal(repr(rig.line.view.mark(NAME)))
    assert found["platform", "max_open_orders"].used == 1
    assert found["platform", "messages_per_s"].used == 2
    assert found["account main", "messages_per_s"].used == 2
    rig.wait(2.0)
    assert used(rig)["platform", "messages_per_s"].used == 0


def test_losses_are_counted_from_the_mark_and_looking_marks_nothing(rig: LineRig) -> None:
    send(rig, Side.BUY, 2.0)
    rig.trade(100.0)
    assert used(rig)["account main", "max_drawdown"].used == 2
    rig.line.risk.mark_losses()
    rig.quote(94.0, 96.0)
    rig.trade(95.0)
    before = dict(rig.line.losses._marks)
    found = used(rig)
    assert found["account main", "max_drawdown"].used == 12
    assert found["platform", "max_daily_loss"].used == 12
    assert rig.line.losses._marks == before
    rig.line.risk.mark_losses()
    rig.settle()
    found = used(rig)
    assert "max_drawdown" in found["account main", "max_drawdown"].locked
    assert found["platform", "max_daily_loss"].locked == ""
