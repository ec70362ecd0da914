"""Whatever a client puts into a request, it is answered or refused; nothing else comes out of a handler."""

import random
from collections import Counter
from contextlib import suppress
from importlib.util import find_spec
from typing import Any

import pytest

from foxtrot.exchange.wire.futu.message_types import PROTOCOLS, messages
from foxtrot.exchange.wire.futu.refusal import FutuRefused
from tests.support.futu_trade_rig import BOB, REAL, SIMULATE, TradeRig

pytestmark = pytest.mark.skipif(find_spec("futu") is None, reason="futu-api is not installed: foxtrot[futu] has it")
NUMBERS = (0, 1, 2, 3, 5, 8, 9, 10, 11, 14, 15, 21, 99, -1, 2**31 - 1, -(2**31))
AMOUNTS = (0.0, 1.0, 100.0, 150.0, 400.0, 399.99, -5.0, 1e-9, 1e15, 1e300, float("nan"), float("inf"), float("-inf"))
TEXTS = (
    "",
    "00700",
    "AAPL",
    "FT0000000001",
    "FT99999999999999999999",
    "FW0000000001",
    "2026-03-12",
    "2026-03-12 10:00:00",
    "x" * 99,
    "二",
)
BIG = (0, 1, REAL, SIMULATE, 2**64 - 1)


def nonsense(message: Any, dice: random.Random, depth: int = 0) -> None:
    """Fill in a message at random, required fields always."""
    for field in message.DESCRIPTOR.fields:
        repeated = field.is_repeated
        if not field.is_required and dice.random() < 0.4:
            continue
        if field.message_type is not None:
            if depth < 2 and not repeated:
                nonsense(getattr(message, field.name), dice, depth + 1)
                getattr(message, field.name).SetInParent()
            continue
        values = _values(field)
        if repeated:
            getattr(message, field.name).extend(dice.choice(values) for _ in range(dice.randrange(3)))
        else:
            setattr(message, field.name, dice.choice(values))


def _values(field: Any) -> tuple[Any, ...]:
    if field.cpp_type in (field.CPPTYPE_DOUBLE, field.CPPTYPE_FLOAT):
        return AMOUNTS
    if field.cpp_type == field.CPPTYPE_STRING:
        return TEXTS
    if field.cpp_type == field.CPPTYPE_BOOL:
        return (False, True)
    if field.cpp_type == field.CPPTYPE_UINT64:
        return BIG
    return BIG[:2] if field.cpp_type == field.CPPTYPE_UINT32 else NUMBERS


def sensible(rig: TradeRig, c2s: Any, dice: random.Random) -> None:
    """Let most fields be right, so that one wrong one is seen by what would read it."""
    names = {field.name for field in c2s.DESCRIPTOR.fields}
    acc_id, (code, market, price) = (
        dice.choice((REAL, SIMULATE)),
        dice.choice((("00700", 1, 400.0), ("AAPL", 2, 200.0))),
    )
    rig.serial += 1
    orders = [f"FT{one.order_id:010d}" for one in rig.venue.open_orders(rig.side.accounts[acc_id].account)]
    right: dict[str, Any] = {
        "code": code, "secMarket": market, "price": price + dice.randint(-2, 2), "qty": 100.0 * dice.randint(1, 3),
        "trdSide": dice.randint(1, 2), "timeInForce": dice.choice((0, 0, 0, 1, 2, 3)), "expireTime": "2027-03-12",
        "orderType": dice.choice((1, 1, 1, 2, 5, 8, 9, 10, 11, 12, 13, 14)), "trailType": dice.randint(1, 2), "trailValue": 5.0,
        "auxPrice": price + dice.randint(-2, 2), "remark": "x", "session": 0, "fillOutsideRTH": False,
        "orderIDEx": dice.choice(orders or [""]), "modifyOrderOp": dice.randint(1, 2), "forAll": False,
    }  # fmt: skip
    for name, value in right.items():
        if name in names and dice.random() < 0.93:
            setattr(c2s, name, value)
    if dice.random() < 0.95:
        c2s.header.accID, c2s.header.trdEnv, c2s.header.trdMarket = acc_id, int(acc_id == REAL), market
    if "packetID" in names:
        c2s.packetID.connID, c2s.packetID.serialNo = rig.client.conn_id, rig.serial
    if "filterConditions" in names and dice.random() < 0.7:
        c2s.filterConditions.beginTime, c2s.filterConditions.endTime = "2026-03-10", "2027-03-10 10:00:00.5"


def liquidity(rig: TradeRig, dice: random.Random) -> None:
    """Let Bob trade, where the market is open."""
    code, price = dice.choice((("00700", 400), ("AAPL", 200)))
    with suppress(FutuRefused):
        rig.place(BOB, code, trdSide=dice.randint(1, 2), price=price + dice.randint(-1, 1), qty=300)


@pytest.mark.parametrize("seed", range(2))
@pytest.mark.parametrize("always_open", [True, False])
def test_nonsense_is_answered_or_refused(seed: int, always_open: bool) -> None:
    rig, dice = TradeRig(always_open=always_open, fees=True), random.Random(seed)
    answered: Counter[int] = Counter()
    for _ in range(500):
        rig.unlock()
        rig.listen(REAL, SIMULATE)
        proto_id = dice.choice((*rig.handlers, 2202, 2202, 2202, 2202, 2205, 2205))
        c2s = messages(PROTOCOLS[proto_id]).C2S()
        nonsense(c2s, dice)
        if "header" in {field.name for field in c2s.DESCRIPTOR.fields}:
            sensible(rig, c2s, dice)
        with suppress(FutuRefused):
            rig.send(proto_id, c2s)
            answered[proto_id] += 1
        if dice.random() < 0.3:
            liquidity(rig, dice)
        rig.go_to(rig.now_ns + dice.choice((0, 10**9, 10**12)))
    assert answered.keys() == rig.handlers.keys()
    assert answered[2202] > 10
    assert rig.told(2218)
    rig.venue.validate()
