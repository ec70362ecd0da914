"""What a strategy says beside side, quantity and price."""

import pytest

from foxtrot.domain.enums import OrderType, PositionSide, Side, TimeInForce
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.order import OrderRequest
from foxtrot.strategy.order_terms import TERMS, plain_request, request_of

SKELETON = OrderRequest("X", "main", Side.BUY, OrderType.LIMIT, 0.0)


@pytest.mark.parametrize(
    ("price", "terms", "kind"),
    [
        (0.0, {}, OrderType.MARKET),
        (5.0, {}, OrderType.LIMIT),
        (0.0, {"trigger_price": 4.0}, OrderType.STOP),
        (5.0, {"trigger_price": 4}, OrderType.STOP_LIMIT),
        (0.0, {"trailing_offset": 0.5}, OrderType.TRAILING_STOP),
        (0.0, {"trigger_price": 6.0, "order_type": "take_profit"}, OrderType.TAKE_PROFIT),
        (5.0, {"trigger_price": 6.0, "order_type": OrderType.TAKE_PROFIT_LIMIT}, OrderType.TAKE_PROFIT_LIMIT),
    ],
)
def test_the_order_type_follows_from_prices_unless_it_is_told(
    price: float, terms: dict[str, object], kind: OrderType
) -> None:
    assert request_of(SKELETON, 1.0, price, terms).order_type is kind


def test_every_term_arrives() -> None:
    terms: dict[str, object] = {
        "trigger_price": 1.5, "trailing_offset": 2.5, "order_type": "limit", "time_in_force": "ioc", "post_only": True,
        "reduce_only": True, "display_quantity": 3.5, "expire_time_ns": 1_700_000_000_123_456_789, "tag": "why",
        "algo": "Adaptive", "algo_params": (("adaptivePriority", "Normal"),),
    }  # fmt: skip
    request = request_of(SKELETON, 1, 2, terms)
    assert {name: getattr(request, name) for name in terms} == {**terms, "time_in_force": TimeInForce.IOC}
    assert set(terms) | {"instrument"} == set(TERMS)


def test_an_expiry_makes_the_order_good_till_then() -> None:
    assert request_of(SKELETON, 1, 2, {"expire_time_ns": 5}).time_in_force is TimeInForce.GTD


@pytest.mark.parametrize(
    ("terms", "message"),
    [
        ({"post_onyl": True}, "did you mean post_only"),
        ({"zzz": 1}, "there are: instrument"),
        ({"post_only": "false"}, "True or False, not 'false'"),
        ({"trigger_price": "5"}, "must be a number"),
        ({"trigger_price": True}, "must be a number"),
        ({"expire_time_ns": 1.5}, "whole number of UTC nanoseconds"),
        ({"order_type": "markt"}, "did you mean market"),
        ({"time_in_force": "forever"}, "there are: gtc"),
    ],
)
def test_a_wrong_term_is_refused_in_words(terms: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        request_of(SKELETON, 1.0, 0.0, terms)


def test_a_request_without_terms_equals_one_with_none_given() -> None:
    plain = plain_request("X", "main", Side.BUY, PositionSide.NET, 1.0, 5.0)
    assert plain == request_of(SKELETON, 1.0, 5.0, {})


def test_parameters_of_an_algorithm_are_given_by_name_or_in_pairs() -> None:
    by_name = request_of(SKELETON, 1, 2, {"algo": "Adaptive", "algo_params": {"adaptivePriority": "Normal", "n": 2}})
    assert by_name.algo_params == (("adaptivePriority", "Normal"), ("n", "2"))
    assert request_of(SKELETON, 1, 2, {"algo_params": [["a", "b"]]}).algo_params == (("a", "b"),)
    for bad in ("Normal", ("Normal",), (("a", "b", "c"),), 7):
        with pytest.raises(ConfigError, match="algo_params must be names with their values"):
            request_of(SKELETON, 1, 2, {"algo_params": bad})
