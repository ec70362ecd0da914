"""Raw messages about orders: as they were, by the order they name, without anything that could be used to trade."""

import json

import pytest

from foxtrot.adapter.binance.raw_messages import IN, LARGEST, OUT, RawMessages, named_order
from foxtrot.core.clock import ManualClock
from foxtrot.core.notices import VenueMessage
from foxtrot.domain.errors import VenueRejected


@pytest.fixture
def told() -> list[VenueMessage]:
    return []


@pytest.fixture
def raw(told: list[VenueMessage]) -> RawMessages:
    return RawMessages("main", ManualClock(7), told.append)


def test_a_request_is_kept_without_its_signature_and_key(raw: RawMessages, told: list[VenueMessage]) -> None:
    raw.sent("F-a-run0000001-1", "privatePostOrder", {"symbol": "BTCUSDT", "signature": "canary", "apiKey": "canary"})
    assert told == [VenueMessage("main", "F-a-run0000001-1", OUT, 'privatePostOrder {"symbol":"BTCUSDT"}', 7)]


def test_an_answer_and_an_error_are_kept_as_they_were(raw: RawMessages, told: list[VenueMessage]) -> None:
    raw.heard("F-a-run0000001-1", {"orderId": 5, "fills": [{"price": "1.10", "listenKey": "canary"}]})
    raw.heard("F-a-run0000001-1", VenueRejected("binance", "-2010", "insufficient balance"))
    assert json.loads(told[0].text) == {"orderId": 5, "fills": [{"price": "1.10"}]}
    assert "insufficient balance" in told[1].text
    assert {message.direction for message in told} == {IN}


@pytest.mark.parametrize(
    ("event", "order_id"),
    [
        ({"e": "executionReport", "c": "F-1", "C": "", "o": "LIMIT"}, "F-1"),
        ({"e": "executionReport", "c": "cancel of it", "C": "F-1", "o": "LIMIT"}, "F-1"),
        ({"e": "ORDER_TRADE_UPDATE", "o": {"c": "F-2", "i": 3}}, "F-2"),
        ({"e": "ALGO_UPDATE", "o": {"caid": "F-3", "c": ""}}, "F-3"),
        ({"e": "outboundAccountPosition", "B": []}, ""),
    ],
)
def test_an_event_is_kept_with_the_order_that_it_names(
    raw: RawMessages, told: list[VenueMessage], event: dict[str, object], order_id: str
) -> None:
    raw.event(event)
    assert named_order(event) == order_id
    assert [message.order_id for message in told] == ([order_id] if order_id else [])


def test_an_endless_message_is_cut(raw: RawMessages, told: list[VenueMessage]) -> None:
    raw.heard("F-1", {"text": "x" * 10_000})
    assert len(told[0].text) < LARGEST + 50
    assert "characters)" in told[0].text


def test_nothing_is_kept_where_it_is_not_wished(told: list[VenueMessage]) -> None:
    silent = RawMessages("main", ManualClock(), None)
    silent.sent("F-1", "privatePostOrder", {})
    silent.heard("F-1", {})
    silent.event({"e": "executionReport", "c": "F-1"})
    assert told == []
