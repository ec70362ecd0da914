"""TWS that somebody logs in to another account while the platform trades: nothing goes to an account that it was not meant for."""

from importlib.util import find_spec

import pytest

from foxtrot.core.notices import PositionsLoaded
from foxtrot.domain.enums import AdapterState, OrderStatus
from tests.support.ib_order_tws import OrderTws
from tests.support.ib_trading_rig import trading
from tests.support.waiting import wait_until

pytestmark = pytest.mark.skipif(find_spec("ibapi") is None, reason="ibapi is not installed: pip install 'foxtrot[ib]'")


def test_another_account_behind_the_same_port_is_not_traded() -> None:
    tws = OrderTws().start()
    try:
        with trading(tws.server.port) as rig:
            told = len(rig.heard.of(PositionsLoaded))
            tws.server.accounts = "DU1000002"
            tws.client.fin()
            wait_until(lambda: AdapterState.FAILED in rig.heard.states())
            assert len(rig.heard.of(PositionsLoaded)) == told
            order_id = rig.send()
            rig.until(order_id, OrderStatus.DENIED)
            assert tws.placed == []
    finally:
        tws.server.stop()
