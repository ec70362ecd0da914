"""TWS that somebody logs in to another account while the platform trades: nothing goes to an account that it was not meant for."""

from importlib.util import find_spec
from pathlib import Path

import pytest

from foxtrot.core.notices import AdapterStatus, PositionsLoaded
from foxtrot.domain.enums import AdapterState, OrderStatus
from tests.support.ib_order_tws import OrderTws
from tests.support.ib_trading_rig import TradingRig, trading
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


def _refusal(tws: OrderTws, home: Path) -> str:
    """Connect a new run, and return why it is refused."""
    rig = TradingRig(tws.server.port, home=home)
    rig.adapter.connect()
    try:
        wait_until(lambda: AdapterState.FAILED in rig.heard.states())
        assert rig.heard.of(PositionsLoaded) == []
        return next(one.cause for one in rig.heard.of(AdapterStatus) if one.state is AdapterState.FAILED)
    finally:
        rig.adapter.close()


def test_another_account_after_a_restart_is_refused_with_both_names(tmp_path: Path) -> None:
    tws = OrderTws().start()
    try:
        with trading(tws.server.port, home=tmp_path):
            pass
        with trading(tws.server.port, home=tmp_path):  # the same one is taken
            pass
        tws.server.accounts = "DU1000002"
        why = _refusal(tws, tmp_path)
        assert (
            "logged in to DU1000001 and is to DU1000002 now; log it in to DU1000001, or start anew with a home" in why
        )
        kept = tmp_path / "ib" / "account-ours.json"
        assert (kept.read_bytes(), kept.stat().st_mode & 0o777) == (b'{"ib_account":"DU1000001"}', 0o600)
        kept.write_bytes(b"{")
        assert f"{kept} cannot be read" in _refusal(tws, tmp_path)
    finally:
        tws.server.stop()
