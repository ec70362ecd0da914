"""A list that TWS did not end in time costs the link: its late rows and end would be those of the next list."""

from importlib.util import find_spec

import pytest

from foxtrot.domain.enums import AdapterState
from tests.support.ib_recovery_rig import recovering

pytestmark = pytest.mark.skipif(find_spec("ibapi") is None, reason="ibapi is not installed: pip install 'foxtrot[ib]'")


@pytest.mark.slow
def test_a_list_whose_end_does_not_come_costs_the_link_and_is_asked_for_over_the_next() -> None:
    with recovering() as rig:
        order_id = rig.send(price=190.0)
        mark = len(rig.heard)
        rig.inject("go_silent", stream="openOrderEnd", count=1)
        rig.adapter.session.bridge.call_soon(rig.adapter.query_orders)
        rig.lost(mark)
        rig.server.clear_faults()
        rig.ready(mark)
        assert AdapterState.LOST in rig.heard.states(mark)
        rig.cancel(order_id)
        rig.check()
