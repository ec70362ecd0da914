"""Random trades and random requests: bars do not depend on when they were made, and no request does more than be refused."""

from datetime import timedelta
from importlib.util import find_spec
from random import Random
from typing import Any

import pytest

from foxtrot.domain.enums import Side
from foxtrot.exchange.wire.futu.message_types import PROTOCOLS, messages
from foxtrot.exchange.wire.futu.quote_types import KLINES
from foxtrot.exchange.wire.futu.refusal import FutuRefused
from tests.support.futu_quote_rig import APPLE, TENCENT, QuoteRig, at, securities

pytestmark = pytest.mark.skipif(find_spec("futu") is None, reason="futu-api is not installed: foxtrot[futu] has it")
DAYS_NS = int(timedelta(days=1).total_seconds()) * 10**9


def bars_of(rig: QuoteRig, key: tuple[int, str], kind: int, session: int) -> list[str]:
    asked = {"rehabType": 0, "beginTime": "2026-01-01", "endTime": "2026-12-31", "session": session}
    s2c = rig.open().ask(3103, security=securities(key)[0], klType=kind, **asked)
    return [str(row) for row in s2c.klList]


@pytest.mark.parametrize("always_open", [False, True])
@pytest.mark.parametrize("key", [TENCENT, APPLE])
def test_bars_made_as_trades_come_are_those_made_afterwards(key: tuple[int, str], always_open: bool) -> None:
    random = Random(1)
    rig = QuoteRig(at(TENCENT, "2026-03-05 00:00:00"), always_open=always_open, limits=False)
    listener = rig.open()
    listener.subscribe([key], sorted(kind.sub_type for kind in KLINES.values()), session=2, isFirstPush=False)
    for moment in sorted(random.randrange(6 * DAYS_NS) for _ in range(300)):
        rig.go_to(at(TENCENT, "2026-03-05 00:00:00") + moment)
        rig.trade(key, round(400 + random.randrange(-50, 50) * 0.2, 1), 100 * random.randrange(1, 9))
    later = QuoteRig(rig.now_ns, always_open=always_open, limits=False)
    later.venue.take_up(rig.venue.snapshot())
    for kind in KLINES:
        for session in (0, 2):
            assert bars_of(rig, key, kind, session) == bars_of(later, key, kind, session)
    pushed: dict[tuple[int, str], Any] = {}
    for told in listener.take():
        pushed[told.s2c.klType, told.s2c.klList[0].time] = told.s2c.klList[0]
    for kind in KLINES:
        assert [str(row) for (of, _), row in pushed.items() if of == kind] == bars_of(rig, key, kind, 2)


def any_value(field: Any, random: Random) -> Any:
    """Some value of a field, likely and unlikely."""
    if field.name == "security":
        return random.choice(securities(TENCENT, APPLE, (1, "AAPL"), (-5, ""), (11, "é" * 300)))
    if field.name in ("beginTime", "endTime"):
        return random.choice(
            ["2026-03-10", "2026-03-10 10:00:00", "0001-01-01", "9999-12-31", "", "2026-02-30", "x" * 99]
        )
    if field.name == "nextReqKey":
        return random.choice([b"", b"1", b"\xff\x00", "٣".encode(), b"9" * 50])
    if field.type == field.TYPE_BOOL:
        return random.random() < 0.5
    return random.choice([0, 1, 2, 3, 4, 5, 11, 17, 1000, 1001, -1, 2**31 - 1, -(2**31)])


@pytest.mark.parametrize("proto_id", [3001, 3002, 3003, 3004, 3006, 3010, 3012, 3103, 3202, 3203, 3219])
def test_whatever_is_asked_for_is_answered_or_refused(proto_id: int) -> None:
    random = Random(proto_id)
    rig = QuoteRig(limits=False)
    rig.trade(TENCENT, 400.0, 100)
    rig.order(TENCENT, Side.BUY, 399.0, 100)
    client = rig.open()
    client.subscribe([TENCENT, APPLE], [1, 2, 4, 11])
    kind = messages(PROTOCOLS[proto_id]).C2S
    answered, refusals = 0, set()
    for _ in range(300):
        fields = {}
        for field in kind.DESCRIPTOR.fields:
            required = field.name in ("security", "beginTime", "endTime") or not field.is_repeated
            if field.name in ("header",) or (required and random.random() < 0.1 and not field.is_required):
                continue
            if field.name == "securityList":
                fields[field.name] = random.choices(
                    securities(TENCENT, APPLE, (1, "99999"), (0, "")), [9, 9, 1, 1], k=2
                )
            elif field.is_repeated:
                fields[field.name] = [any_value(field, random) for _ in range(random.randrange(3))]
            else:
                fields[field.name] = any_value(field, random)
        try:
            client.ask(proto_id, **fields)
            answered += 1
        except FutuRefused as refused:
            refusals.add(refused.message)
    assert answered
    assert "" not in refusals
