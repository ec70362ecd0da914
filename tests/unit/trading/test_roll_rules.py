"""Futures near their end: what may not be opened any more, and what always may."""

import msgspec
import pytest

from foxtrot.domain.enums import OrderStatus, OrderType, Product, Side
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import OrderRequest
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.trading.limits import Limits, LimitTable
from foxtrot.trading.roll_rules import ends_ns, is_near, why_ends
from tests.support.futures import DAY_NS, two_futures
from tests.support.instruments import a_future, a_spot
from tests.support.line_rig import LIMITS, T0, LineRig


def rig_of(contract: Instrument, limits: LimitTable = LIMITS) -> LineRig:
    rig = LineRig(contract, limits=limits)
    rig.line.adapters["main"].subscribe(SubscribeRequest(contract.instrument_id))
    rig.quote(4_999.0, 5_001.0)
    return rig


def sent(rig: LineRig, side: Side, quantity: float = 1.0) -> tuple[OrderStatus, str, str]:
    request = OrderRequest(rig.instruments[0].instrument_id, "main", side, OrderType.MARKET, quantity)
    order_id = rig.line.desk.submit(request, "one")
    rig.settle()
    order = rig.line.desk.order(order_id)
    assert order is not None
    return order.status, order.rule, order.reason


@pytest.mark.parametrize(
    ("expiry", "notice", "opens"),
    [(3 * DAY_NS + 1, 0, True), (3 * DAY_NS, 0, False), (20 * DAY_NS, 3 * DAY_NS, False), (3 * DAY_NS, 20 * DAY_NS, False),
     (20 * DAY_NS, 3 * DAY_NS + 1, True), (0, 2 * DAY_NS, False), (0, 0, True)],
)  # fmt: skip
def test_a_future_is_opened_until_so_many_days_before_the_earlier_of_its_two_ends(
    expiry: int, notice: int, opens: bool
) -> None:
    contract = a_future(expiry_ns=expiry and T0 + expiry, notice_ns=notice and T0 + notice)
    status, rule, _ = sent(rig_of(contract), Side.BUY)
    assert (status, rule) == ((OrderStatus.FILLED, "") if opens else (OrderStatus.DENIED, "roll_days"))


def test_the_refusal_names_the_limit_whose_it_is_and_what_ends_the_contract() -> None:
    contract = a_future(expiry_ns=T0 + 20 * DAY_NS, notice_ns=T0 + DAY_NS)
    assert sent(rig_of(contract), Side.BUY)[2] == (
        "roll_days: 1.0 days left is against the limit 3 days of platform before first notice on 2023-11-16"
    )


def test_what_only_reduces_is_never_refused_for_it_and_what_turns_round_is() -> None:
    old, _ = two_futures(4.0)
    rig = rig_of(old)
    assert sent(rig, Side.BUY, 2.0)[0] is OrderStatus.FILLED
    rig.wait(2 * 86_400)
    assert sent(rig, Side.BUY)[:2] == (OrderStatus.DENIED, "roll_days")
    assert sent(rig, Side.SELL, 3.0)[:2] == (OrderStatus.DENIED, "roll_days")
    assert sent(rig, Side.SELL, 2.0)[0] is OrderStatus.FILLED
    assert sent(rig, Side.SELL, 1.0)[:2] == (OrderStatus.DENIED, "roll_days")


@pytest.mark.parametrize(
    ("platform", "account", "rule"), [(3.0, 8.0, "roll_days"), (8.0, 3.0, "roll_days"), (3.0, 0.0, ""), (0.0, 0.0, "")]
)
def test_platform_and_account_each_have_their_days_and_the_stricter_counts(
    platform: float, account: float, rule: str
) -> None:
    old, _ = two_futures(5.0)
    plain = LIMITS.platform
    limits = LimitTable(_with(plain, platform), {"main": _with(plain, account)})
    assert sent(rig_of(old, limits), Side.BUY)[1] == rule


def _with(limits: Limits, days: float) -> Limits:
    return msgspec.structs.replace(limits, roll_days=days)


def test_only_futures_are_rolled_an_option_runs_to_its_end() -> None:
    option = a_future(product=Product.OPTION, expiry_ns=T0 + DAY_NS)
    assert (ends_ns(option), why_ends(option), is_near(option, T0, 30.0)) == (0, "", False)
    assert ends_ns(a_spot()) == 0
    old, _ = two_futures(2.0)
    assert why_ends(old) == "last trade on 2023-11-17"
    assert [is_near(old, T0, days) for days in (0.0, 1.9, 2.0)] == [False, False, True]
