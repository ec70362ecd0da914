"""What an order would come to: the same figures and refusals as when it is sent, and nothing sent, counted or kept."""

from decimal import Decimal

import pytest

from foxtrot.app.config import Config
from foxtrot.app.config_tables import AccountTable
from foxtrot.app.desktop_preview import OrderPreviews, account_equity
from foxtrot.app.desktop_requests import OrderPreview, PreviewOrder
from foxtrot.core.notices import OrderChanged
from foxtrot.domain.enums import OrderType, PositionMode, Side
from foxtrot.domain.errors import ConfigError, OrderRefused
from foxtrot.domain.order import OrderRequest
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.trading.limits import Limits, LimitTable
from tests.support.builders import a_perpetual
from tests.support.line_rig import LineRig

NAME = "BTCUSDT.PERP"
LIMITS = LimitTable(
    platform=Limits(quote_age_s=0.0, messages_per_s=2, duplicate_window_s=5.0, price_collar=0.0, max_position=10.0)
)


@pytest.fixture
def rig() -> LineRig:
    made = LineRig(a_perpetual(venue="BINANCE_USDM"), limits=LIMITS)
    made.line.adapters["main"].subscribe(SubscribeRequest(NAME))
    made.quote(99.9, 100.1)
    return made


def previews(rig: LineRig, mode: PositionMode = PositionMode.NETTING) -> OrderPreviews:
    return OrderPreviews(rig.line, Config(accounts={"main": AccountTable(adapter="simulated", position_mode=mode)}))


def wish(quantity: float = 2.0, price: float = 100.0, side: Side = Side.BUY) -> OrderRequest:
    return OrderRequest(NAME, "main", side, OrderType.LIMIT, quantity, price)


def ask(rig: LineRig, order: OrderRequest, **terms: float) -> OrderPreview:
    return previews(rig).preview(PreviewOrder(order=order, owner="manual", **terms))


def test_it_says_what_the_order_takes_and_leaves(rig: LineRig) -> None:
    rig.line.desk.submit(OrderRequest(NAME, "main", Side.SELL, OrderType.MARKET, 0.5), "manual")
    rig.settle()
    found = ask(rig, wish(), stop_loss=95.0, take_profit=110.0)
    assert (found.notional, found.quote, found.need_asset) == (Decimal(200), "USDT", "USDT")
    assert found.need == Decimal(200) * (Decimal("0.1") + rig.line.risk.fee_rate)
    assert (found.fee_table, found.fee > 0) == ("binance_usdm", True)
    assert (found.held, found.after) == (-0.5, 1.5)
    assert (found.risk, found.reward) == (Decimal(10), Decimal(20))
    assert found.equity == account_equity(rig.line, "main")
    assert found.risk_share == pytest.approx(10.0 / float(found.equity or 1))
    assert (found.rule, found.refusal) == ("", "")


def test_what_risk_would_refuse_is_named_by_its_rule(rig: LineRig) -> None:
    found = ask(rig, wish(quantity=11.0))
    assert found.rule == "max_position"
    assert "10.0 of platform" in found.refusal
    rig.line.gate.close("lunch", "me")
    assert ask(rig, wish()).rule == "gate"


def test_a_bracket_on_the_wrong_side_is_named(rig: LineRig) -> None:
    assert ask(rig, wish(), stop_loss=101.0).rule == "protection"
    assert ask(rig, wish(side=Side.SELL), take_profit=101.0).rule == "protection"


def test_nothing_is_counted_however_often_it_is_asked(rig: LineRig) -> None:
    assert [ask(rig, wish()).rule for _ in range(50)] == [""] * 50
    assert rig.told(OrderChanged) == []
    assert rig.line.risk.refusals == {}
    rig.line.desk.submit(wish(), "manual")
    assert ask(rig, wish()).rule == "duplicate"


def test_the_size_by_which_a_stop_loses_a_share_of_the_equity(rig: LineRig) -> None:
    equity = account_equity(rig.line, "main")
    assert equity is not None
    share = 500.0 / float(equity)
    found = ask(rig, wish(quantity=0.001), stop_loss=95.0, risk_share=share)
    assert (found.quantity, found.risk) == (100.0, Decimal(500))
    with pytest.raises(OrderRefused, match="a stop above 0"):
        ask(rig, wish(), risk_share=share)


def test_what_is_no_order_is_refused(rig: LineRig) -> None:
    with pytest.raises(OrderRefused, match="off the grid"):
        ask(rig, wish(price=100.03))


def test_terms_are_those_of_the_accounts_venue(rig: LineRig) -> None:
    terms = previews(rig, PositionMode.HEDGING).terms("main")
    assert (terms.hedges, terms.capabilities) == (True, rig.line.adapters["main"].capabilities)
    with pytest.raises(ConfigError, match="there is no account nobody; there are: main"):
        previews(rig).terms("nobody")
