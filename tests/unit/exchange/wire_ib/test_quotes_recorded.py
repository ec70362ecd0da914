"""Requests for market data as three real clients wrote them, answered in messages that have exactly the fields they must."""

import pytest

from foxtrot.domain.enums import Side
from foxtrot.exchange.wire.ib.surface_settings import IbSettings
from tests.support.ib_quote_recorder import read
from tests.support.ib_quote_rig import EURUSD, QuoteRig

RECORDED = read()
CLIENTS = sorted({name.rpartition(":")[0] for name in RECORDED})
FIELDS = {
    1: 7, 2: 5, 4: None, 12: 8, 13: 10, 45: 5, 46: 5, 50: 11, 57: 3, 58: 4, 80: None, 81: 5, 90: 10, 17: None, 98: None, 99: 9,
}  # fmt: skip
"""Fields of each message with its id, at every server version from 157 to 178: those that are counted; the others are lists.

Source: EDecoder of ibapi 9.81 and 10.46.
"""
ANSWERED = [
    set(), {81, 58, 1, 2, 45, 46}, {81, 58, 1, 45, 57}, {13}, {12}, {80}, {98}, {17}, set(), set(), set(), set(), {4}, set(),
]  # fmt: skip
"""Which messages answer each request at once."""


def a_market(rig: QuoteRig) -> None:
    rig.trade("200.05", 3)
    rig.rest(Side.BUY, "200", 7)
    rig.rest(Side.BUY, "1.1", 20_000, name=EURUSD)


def test_three_clients_were_recorded() -> None:
    assert {name.partition(":")[0] for name in CLIENTS} == {"ib_async", "ibapi_9.81.1-1", "ibapi_10.46.1"}
    assert all(f"{name}:{number}" in RECORDED for name in CLIENTS for number in range(len(ANSWERED)))


@pytest.mark.parametrize("name", CLIENTS)
def test_every_request_is_answered_in_whole_messages(name: str) -> None:
    version = int(name.rpartition(":")[2])
    rig = QuoteRig(settings=IbSettings(newest_version=version))
    a_market(rig)
    client = rig.client(version)
    assert client.link.version == version
    for number, expected in enumerate(ANSWERED):
        rig.gateway.receive(client.link, RECORDED[f"{name}:{number}"])
        told = client.take()
        assert {int(fields[0]) for fields in told} == expected, (number, told)
        if number == 8:
            rig.trade("200.06", 1)
            rig.wait(5)
            told += client.take()
            assert {int(fields[0]) for fields in told} == {1, 2, 13, 46, 50, 90, 99}
        for fields in told:
            assert FIELDS[int(fields[0])] in (None, len(fields)), fields
    rig.trade("200.07", 1)
    rig.wait(5)
    assert {int(fields[0]) for fields in client.take()} <= {12}
