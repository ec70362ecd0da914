"""Every request of the trading side as the SDK packs it, every answer and push as its message classes pack it, byte by byte."""

from importlib.util import find_spec
from typing import Any

import pytest

from foxtrot.exchange.wire.futu.message_types import PROTOCOLS, answer_bytes, messages, refusal_bytes, request_of
from tests.support.futu_frame_recorder import read
from tests.support.futu_trade_rig import BOB, FILL_PUSH, ORDER_PUSH, PLACE, SELL, TradeRig

pytestmark = pytest.mark.skipif(find_spec("futu") is None, reason="futu-api is not installed: foxtrot[futu] has it")
SCRIPT = (
    "accounts", "unlock", "listen", "place", "modify", "funds", "positions", "most", "orders", "deals", "fees", "cancel",
    "past_orders", "past_deals", "cancel_all",
)  # fmt: skip
"""Names of the recorded requests in the order in which they are sent."""


def packed(proto_id: int, s2c: Any) -> bytes:
    """An answer as the gateway packs it, with its fields in the order of their numbers."""
    response = messages(PROTOCOLS[proto_id]).Response()
    response.ParseFromString(answer_bytes(proto_id, s2c))
    return bytes(response.SerializeToString(deterministic=True))


def scene() -> dict[str, tuple[int, bytes]]:
    """Send the recorded requests; Bob sells 100 of the 200 that are bought. Answers by name, pushes by kind and number."""
    rig = TradeRig(fees=True)
    rig.unlock()
    rig.place(BOB, trdSide=SELL)
    rig.trading.lock()
    found = {}
    for name in SCRIPT:
        proto_id, body = read("trade_requests")[name]
        found[name] = (proto_id, packed(proto_id, rig.send(proto_id, request_of(proto_id, body))))
    for proto_id, title in ((ORDER_PUSH, "push_order"), (FILL_PUSH, "push_fill")):
        for number, s2c in enumerate(rig.told(proto_id), start=1):
            found[f"{title}_{number}"] = (proto_id, packed(proto_id, s2c))
    return found


def test_answers_and_pushes_are_as_recorded() -> None:
    found, recorded = scene(), read("trade_answers")
    assert {name: found.get(name) for name in recorded} == recorded
    assert found.keys() == recorded.keys()


def test_every_request_of_trading_is_recorded() -> None:
    asked = {proto_id for proto_id, _ in read("trade_requests").values()}
    assert asked == set(TradeRig().handlers)
    assert set(SCRIPT) == set(read("trade_requests"))


def test_a_refusal_says_why_in_the_shape_of_any_response() -> None:
    rig = TradeRig()
    proto_id, body = read("trade_requests")["place"]
    message = rig.refusal(proto_id, request_of(proto_id, body))
    assert proto_id == PLACE
    told = messages("Trd_PlaceOrder").Response()
    told.ParseFromString(refusal_bytes(-1, message))
    assert (told.retType, told.retMsg, told.HasField("s2c")) == (-1, "没有解锁交易，请先解锁交易", False)
