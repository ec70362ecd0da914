"""From a strategy no chain of attributes, items, closures and bound methods leads to the secret that signs."""

from typing import Any

import pytest
from loguru import logger

from foxtrot.adapter.base_adapter import AdapterContext, Setting
from foxtrot.adapter.binance.adapter import BinanceAdapter
from foxtrot.core.clock import ManualClock
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.secret import Secret
from foxtrot.core.send_permit import SendPermit
from foxtrot.strategy.line import Line, LineSettings
from foxtrot.strategy.loader import load_strategy
from foxtrot.strategy.settings import StrategySettings
from tests.support.binance_rig import START_NS
from tests.support.object_walk import reached

KEY, SECRET = "canary-key-of-the-walk", "canary-secret-of-the-walk"


def line_with(product: str, secrets: dict[str, Secret]) -> tuple[Line, BinanceAdapter, Any]:
    clock, permit = ManualClock(START_NS), SendPermit()
    line = Line(Dispatcher(clock), permit, LineSettings(run_id="run0000001"))
    settings: dict[str, Setting] = {"product": product, "port": 9}
    context = AdapterContext("main", line.dispatcher, permit, clock, settings, {}, "loopback", secrets=secrets)
    adapter = BinanceAdapter(context)
    line.add_adapter(adapter)
    wanted = StrategySettings(
        strategy_id="s", class_name="double_ma", account="main", symbols=("BTCUSDT.BINANCE",), interval="1m"
    )
    line.strategies.add(wanted, load_strategy("double_ma", None))
    return line, adapter, line.strategies.hosts["s"].strategy


@pytest.mark.parametrize("product", ["spot", "usdm"])
def test_a_strategy_does_not_reach_the_secret(product: str) -> None:
    secrets = {"api_key": Secret(KEY), "api_secret": Secret(SECRET)}
    _, adapter, strategy = line_with(product, secrets)
    secrets.clear()
    logger.debug("the walk begins at {}", strategy)
    found = reached(strategy)
    assert id(adapter) in found, "a walk that does not come to the adapter proves nothing"
    shown = [one for one in found.values() if isinstance(one, str | bytes) and SECRET in str(one)]
    assert shown == []
    values = {one.reveal() for one in found.values() if isinstance(one, Secret)}
    assert values == {KEY, "kept by the signer"}
    assert adapter.close() == ""


def test_the_walk_finds_a_secret_that_is_held() -> None:
    secrets = {"api_key": Secret(KEY), "api_secret": Secret(SECRET)}
    _, adapter, strategy = line_with("spot", secrets)
    adapter.close()
    held = secrets["api_secret"]
    adapter.trading.orders.prepare = lambda *_: held  # type: ignore[assignment,return-value]
    assert any(one == held for one in reached(strategy).values() if isinstance(one, Secret))
