"""What an instrument costs: the table of its venue, else only the rate that risk counts with."""

from decimal import Decimal

import msgspec
import pytest

from foxtrot.app.desktop_instruments import InstrumentAnswers
from foxtrot.app.desktop_requests import AskInstrument, InstrumentFound
from foxtrot.domain.errors import OrderRefused
from foxtrot.domain.subscription import SubscribeRequest
from tests.support.builders import a_perpetual
from tests.support.line_rig import LineRig

NAME = "BTCUSDT.PERP"


def answered(venue: str) -> InstrumentFound:
    rig = LineRig(a_perpetual(venue=venue))
    rig.line.adapters["main"].subscribe(SubscribeRequest(NAME))
    rig.quote(99.9, 100.1)
    return InstrumentAnswers(rig.line).answer(AskInstrument(NAME))


def test_the_table_of_its_venue_is_told_item_by_item() -> None:
    found = answered("BINANCE_USDM")
    assert (found.fee_table, found.fee_currency, found.price) == ("binance_usdm", "USDT", pytest.approx(100.0))
    assert [(fee.name, fee.unit, fee.maker < fee.taker) for fee in found.fees] == [("commission", "notional", True)]
    assert msgspec.json.decode(msgspec.json.encode(found), type=InstrumentFound) == found


def test_items_that_only_sellers_pay_and_least_fees_are_told() -> None:
    fees = answered("NASDAQ").fees
    assert {fee.side for fee in fees} >= {"", "sell"}
    assert any(fee.minimum for fee in fees)


def test_a_venue_without_a_table_has_the_rate_that_risk_counts_with() -> None:
    found = answered("NOWHERE")
    assert (found.fee_table, found.fees) == ("", ())
    assert found.counted_rate > Decimal(0)


def test_an_unknown_instrument_is_refused_by_its_name() -> None:
    rig = LineRig(a_perpetual())
    with pytest.raises(OrderRefused, match="NONSENSE"):
        InstrumentAnswers(rig.line).answer(AskInstrument("NONSENSE"))
