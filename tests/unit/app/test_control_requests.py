"""Requests over the control port: what is let in, and that everything else is refused."""

import json
from decimal import Decimal

import msgspec
import pytest

from foxtrot.app.control_decoding import decode_request
from foxtrot.app.control_requests import (
    Answer,
    Kill,
    ListOrders,
    Refusal,
    Request,
    Resolve,
    SetValues,
    Step,
)
from foxtrot.app.control_roll_requests import BeginRoll, PlanRoll
from foxtrot.domain.enums import OrderStatus

WISHES = (
    ListOrders("main", "one", "BTCUSDT", every=True),
    Kill("Ann", "why not", flatten=True),
    Resolve("F-1", OrderStatus.FILLED, "Ann", "seen at the venue"),
    Step("one", "stop", "Ann"),
    PlanRoll(old="ESZ6", new="ESH7", quantity=Decimal("1.5")),
    BeginRoll(old="ESZ6", new="ESH7", who="Ann", account="main", forget=True),
    SetValues("one", {"fast": "10", "slow": 2, "on": True, "share": 0.5}, "Ann"),
)


@pytest.mark.parametrize("wish", WISHES, ids=lambda wish: type(wish).__name__)
def test_a_request_comes_back_as_it_was(wish: Request) -> None:
    assert decode_request(msgspec.json.encode(wish)) == wish


BAD = {
    "nothing": "",
    "no JSON": "kill",
    "no object": "[]",
    "unknown word": '{"ask": "shutdown"}',
    "no word": '{"who": "Ann", "reason": "x"}',
    "unknown field": '{"ask": "kill", "who": "Ann", "reason": "x", "sudo": true}',
    "missing field": '{"ask": "kill", "who": "Ann"}',
    "wrong type": '{"ask": "kill", "who": "Ann", "reason": "x", "flatten": "yes"}',
    "long name": json.dumps({"ask": "orders", "account": "a" * 129}),
    "unknown step": '{"ask": "step", "strategy_id": "one", "step": "sell", "who": "Ann"}',
    "unknown status": '{"ask": "resolve", "order_id": "F-1", "status": "lost", "who": "Ann", "why": "x"}',
    "deep value": '{"ask": "set", "strategy_id": "one", "who": "Ann", "values": {"fast": {"a": [1]}}}',
    "deep field": '{"ask": "orders", "account": ' + "[" * 10_000 + "]" * 10_000 + "}",
    "not text": b"\xff\xfe".decode("latin-1"),
}


@pytest.mark.parametrize("body", BAD.values(), ids=BAD)
def test_what_is_no_request_is_refused(body: str) -> None:
    with pytest.raises((msgspec.MsgspecError, RecursionError, UnicodeError)):
        decode_request(body.encode("latin-1"))


def test_an_answer_has_an_error_or_something() -> None:
    assert msgspec.json.decode(b'{"error": "the token is wrong"}', type=Answer).error == "the token is wrong"
    assert msgspec.json.decode(b'{"error": {"type": "A", "message": "b"}}', type=Answer).error == Refusal("A", "b")
    assert bytes(msgspec.json.decode(b'{"answer": {"a": 1}}', type=Answer).answer) == b'{"a": 1}'
