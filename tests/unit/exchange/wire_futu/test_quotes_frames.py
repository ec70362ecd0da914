"""Every request of the quote side as the SDK packs it, every answer and push as its message classes pack it, byte by byte."""

from importlib.util import find_spec
from typing import Any

import pytest

from foxtrot.domain.enums import Side
from foxtrot.exchange.wire.futu.message_types import PROTOCOLS, answer_bytes, messages, refusal_bytes, request_of
from foxtrot.exchange.wire.futu.refusal import FutuRefused
from tests.support.futu_frame_recorder import read
from tests.support.futu_quote_rig import TENCENT, QuoteClient, QuoteRig

pytestmark = pytest.mark.skipif(find_spec("futu") is None, reason="futu-api is not installed: foxtrot[futu] has it")
PUSHES = {3005: "push_basic", 3007: "push_klines", 3011: "push_ticker", 3013: "push_book"}
ANSWERED = (
    "sub_info", "basic", "klines", "tickers", "book", "history", "static", "snapshot", "days",
)  # fmt: skip


def recorded(name: str) -> Any:
    """The C2S of a recorded request."""
    return request_of(*read("requests")[name])


@pytest.fixture
def scene() -> tuple[QuoteRig, QuoteClient]:
    """A traded stock with a book, subscribed by the recorded request; then, a minute later, a trade."""
    rig = QuoteRig()
    client = rig.open()
    rig.trade(TENCENT, 400.0, 200)
    rig.order(TENCENT, Side.BUY, 399.8, 300)
    rig.order(TENCENT, Side.BUY, 399.8, 100)
    rig.order(TENCENT, Side.SELL, 400.2, 300)
    client.send(3001, recorded("sub"))
    client.take()
    rig.wait(61.25)
    rig.order(TENCENT, Side.BUY, 400.2, 100, "bob")
    return rig, client


def packed(proto_id: int, s2c: Any) -> bytes:
    """An answer as the gateway packs it, with its fields in the order of their numbers."""
    response = messages(PROTOCOLS[proto_id]).Response()
    response.ParseFromString(answer_bytes(proto_id, s2c))
    return bytes(response.SerializeToString(deterministic=True))


@pytest.mark.parametrize("proto_id", PUSHES)
def test_pushes_are_as_recorded(scene: tuple[QuoteRig, QuoteClient], proto_id: int) -> None:
    _, client = scene
    told = [one for one in client.take() if one.proto_id == proto_id]
    assert [(one.proto_id, packed(proto_id, one.s2c)) for one in told[:1]] == [read("answers")[PUSHES[proto_id]]]


@pytest.mark.parametrize("name", ANSWERED)
def test_answers_to_recorded_requests_are_as_recorded(scene: tuple[QuoteRig, QuoteClient], name: str) -> None:
    _, client = scene
    proto_id, body = read("answers")[name]
    assert packed(proto_id, client.send(proto_id, recorded(name))) == body


def test_an_answer_without_content_is_as_recorded(scene: tuple[QuoteRig, QuoteClient]) -> None:
    proto_id, body = read("answers")["sub"]
    assert answer_bytes(proto_id, scene[1].send(3001, recorded("sub"))) == body


def test_a_refusal_is_as_recorded(scene: tuple[QuoteRig, QuoteClient]) -> None:
    rig, _ = scene
    with pytest.raises(FutuRefused) as caught:
        rig.open().send(3004, recorded("basic"))
    assert (
        refusal_bytes(caught.value.ret_type, caught.value.message, caught.value.code) == read("answers")["refused"][1]
    )


def test_the_requests_that_end_a_subscription_are_understood(scene: tuple[QuoteRig, QuoteClient]) -> None:
    rig, client = scene
    client.send(3001, recorded("unsub"))
    client.send(3002, recorded("unpush"))
    assert client.client.subscriptions[TENCENT].keys() == {2, 4, 11}
    client.send(3001, recorded("unsub_all"))
    assert client.client.subscriptions == {}
    other = rig.open()
    other.send(3001, recorded("sub_quiet"))
    assert other.take() == []
    assert other.client.subscriptions[11, "AAPL"][1].is_extended
    assert len(client.send(3202, recorded("static_of")).staticInfoList) == 1
