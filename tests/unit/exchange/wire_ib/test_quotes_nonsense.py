"""Whatever stands in a request for market data, it is answered or refused in whole messages, and the surface goes on."""

import random

import pytest

from foxtrot.domain.enums import Side
from foxtrot.exchange.wire.ib.surface_settings import IbSettings
from tests.support.ib_quote_recorder import read
from tests.support.ib_quote_rig import EURUSD, QuoteRig

BODIES = [body for name, body in read().items() if name.startswith("ibapi_9.81")]
STRANGE = (
    "", "0", "1", "-1", "abc", "1.5", "nan", "inf", "1e400", "1.7976931348623157e+308", "2147483647", "9" * 30, "-" + "9" * 30, "é",
    "20261340 99:99:99", "99999999-00:00:00", "00010101-00:00:00", "00010101 00:00:00 Asia/Tokyo", "1 D", "1 Y", "999999 Y", "999 Y",
    "2 W", "1M", "1W", "1 secs", "TRADES", "BID_ASK", "Last", "MidPoint", "FUT", "BAG", "SMART", "233", "/etc/passwd",
    "../../etc", "America", "\\x00", "\x7f", "²",
)  # fmt: skip
EXACT = {1: 7, 2: 5, 4: 5, 12: 8, 13: 10, 45: 5, 46: 5, 50: 11, 57: 3, 58: 4, 81: 5, 90: 10}


def spoilt(body: bytes, dice: random.Random) -> bytes:
    """A request of which some fields are others, are missing or stand there twice."""
    fields = body.decode().split("\0")[:-1]
    for _ in range(dice.randint(1, 3)):
        at = dice.randrange(1, len(fields)) if len(fields) > 1 else 0
        action = dice.random()
        if at and action < 0.8:
            fields[at] = dice.choice(STRANGE)
        elif at and action < 0.9:
            del fields[at]
        else:
            fields.insert(at + 1, fields[at])
    return "".join(f"{field}\0" for field in fields).encode()


@pytest.mark.parametrize("always_open", [True, False])
@pytest.mark.parametrize("seed", range(4))
def test_nonsense_is_refused_and_nothing_breaks(seed: int, always_open: bool) -> None:
    rig, dice = QuoteRig(settings=IbSettings(always_open=always_open, depth_lines=100)), random.Random(seed)
    rig.trade("200.05", 3)
    rig.rest(Side.BUY, "200", 7)
    rig.rest(Side.BUY, "1.1", 20_000, name=EURUSD)
    client = rig.client()
    client.link.is_paced = True
    for turn in range(400):
        rig.gateway.receive(client.link, spoilt(dice.choice(BODIES), dice))
        if turn % 20 == 0:
            rig.trade(f"200.{turn // 20 + 10}", 1)
            rig.wait(dice.choice((0.01, 1, 5, 3_600)))
        for fields in client.take():
            assert len(fields) == EXACT.get(int(fields[0]), len(fields)), fields
            assert "" not in fields[:3]
    assert not client.is_closed
    client.ask(2, 2, 77)
    told = client.ask(1, 11, 77, 0, "AAPL", "STK", "", "0.0", "", "", "SMART", "", "USD", "", "", 0, "", 1, 0, "")
    assert told[-1] == ["57", "1", "77"]
