"""The orders of a protection live as long as their venue lets them."""

import msgspec
import pytest

from foxtrot.adapter.binance.capabilities import SPOT
from foxtrot.adapter.capabilities import Capabilities
from foxtrot.adapter.futu.capabilities import FUTU, SIMULATED
from foxtrot.domain.enums import OrderType, Side, TimeInForce
from foxtrot.domain.order import OrderRequest
from foxtrot.trading.protection_orders import as_lasting_as_can_be

TAKE = OrderRequest("00700.SEHK", "ours", Side.SELL, OrderType.LIMIT, 100.0, 410.0)


@pytest.mark.parametrize(
    ("capabilities", "asked", "given"),
    [
        (SPOT, TimeInForce.GTC, TimeInForce.GTC),
        (FUTU, TimeInForce.GTC, TimeInForce.GTC),
        (FUTU, TimeInForce.IOC, TimeInForce.IOC),
        (SIMULATED, TimeInForce.GTC, TimeInForce.DAY),
    ],
)
def test_an_order_is_for_the_day_where_nothing_outlives_it(
    capabilities: Capabilities, asked: TimeInForce, given: TimeInForce
) -> None:
    request = msgspec.structs.replace(TAKE, time_in_force=asked)
    assert as_lasting_as_can_be(request, capabilities) == msgspec.structs.replace(TAKE, time_in_force=given)
