"""Every exchange of ccxt.pro can be named: settings, capabilities and a client are made of what its class says."""

import asyncio
from typing import Any

import ccxt.pro
import pytest

from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.ccxt.adapter import CcxtAdapter
from foxtrot.adapter.ccxt.client import end_exchange, make_exchange
from foxtrot.adapter.ccxt.config import LIVE, TESTNET, CcxtSettings
from foxtrot.adapter.ccxt.venue_rows import venue_rows
from foxtrot.core.clock import ManualClock
from foxtrot.core.send_permit import SendPermit
from tests.support.recorder import Recorder

EXCHANGES = sorted(ccxt.pro.exchanges)


def urls_of(settings: CcxtSettings) -> list[str]:
    """Make a client, close it, and return every URL that it would ask."""

    async def made() -> Any:
        exchange = make_exchange(settings, ManualClock())
        try:
            return exchange.urls["api"]
        finally:
            await end_exchange(exchange)

    return list(_texts(asyncio.run(made())))


def _texts(urls: Any) -> list[str]:
    if isinstance(urls, dict):
        return [text for inner in urls.values() for text in _texts(inner)]
    return [urls] if isinstance(urls, str) else []


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_an_account_can_be_made_of_any_exchange(exchange: str) -> None:
    context = AdapterContext("ours", Recorder(), SendPermit(), ManualClock(), {"exchange": exchange}, {})
    adapter = CcxtAdapter(context)
    assert not adapter.capabilities.order_types
    assert adapter.session.settings.environment in (LIVE, TESTNET)
    assert adapter.close() == ""


@pytest.mark.parametrize("exchange", EXCHANGES)
def test_on_loopback_no_url_leaves_this_machine(exchange: str) -> None:
    found = urls_of(CcxtSettings(exchange=exchange, environment="loopback", loopback="127.0.0.1:9"))
    urls = [url for url in found if "://" in url]
    assert [url for url in urls if not url.startswith(("http://127.0.0.1:9/", "ws://127.0.0.1:9/"))] == []


@pytest.mark.parametrize("exchange", sorted(venue_rows()))
def test_the_testnet_is_another_place_than_the_live_venue(exchange: str) -> None:
    live = urls_of(CcxtSettings(exchange=exchange, environment=LIVE))
    if getattr(ccxt.pro, exchange)().urls.get("test"):
        assert urls_of(CcxtSettings(exchange=exchange, environment=TESTNET)) != live
    assert all("127.0.0.1" not in url for url in live)
