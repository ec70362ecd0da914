"""Every sample in a living market for a quarter of an hour of its time: nothing fails, and what it believes is what the venue says."""

import pytest

from foxtrot.exchange.listings import REFERENCE_PRICES, listing
from foxtrot.exchange.market_maker import Population
from foxtrot.strategy.host import Stage
from foxtrot.strategy.loader import load_strategy
from foxtrot.strategy.settings import ExitPolicy, PositionExit
from foxtrot.trading.limits import LimitTable
from tests.support.line_rig import LineRig

SYMBOLS = ("BTCUSDT.BINANCE_USDM", "ETHUSDT.BINANCE_USDM")
PARAMETERS: dict[str, dict[str, float]] = {
    "double_ma": {"fast": 2, "slow": 3, "size": 0.1},
    "bollinger_breakout": {"window": 3, "width": 1.0, "size": 0.1},
    "rsi_reversion": {"period": 2, "low": 45.0, "high": 55.0, "stop_percent": 0.05, "size": 0.1},
    "grid": {"levels": 4, "step_percent": 0.02, "size": 0.1},
    "spread": {"window": 3, "enter": 1.0, "leave": 0.2, "notional": 5_000.0},
}


def market() -> LineRig:
    instruments = tuple(listing(name) for name in SYMBOLS)
    rig = LineRig(*instruments, limits=LimitTable())
    crowd = Population(instruments, {name: REFERENCE_PRICES[name] for name in SYMBOLS}, agents=4, seed=7)
    for command in crowd.opening(rig.clock.now_ns()):
        rig.session.execute(command)
    rig.session.populace.append(lambda now_ns: crowd.act(rig.session.venue, now_ns))
    return rig


@pytest.mark.slow
def test_all_samples_trade_side_by_side_and_agree_with_the_venue() -> None:
    rig = market()
    flatten = ExitPolicy(position={"on_shutdown": PositionExit.FLATTEN})
    for _ in range(2 * 60):
        rig.wait(1.0)
    for name, parameters in PARAMETERS.items():
        symbols = SYMBOLS if name == "spread" else SYMBOLS[:1]
        rig.start(load_strategy(name), name, symbols=symbols, parameters=parameters, exit_policy=flatten)
    for _ in range(10 * 60):
        rig.wait(1.0)
    hosts = rig.line.strategies.hosts
    assert {name: (host.stage, host.reason) for name, host in hosts.items()} == dict.fromkeys(
        PARAMETERS, (Stage.RUNNING, "")
    )
    fills = dict.fromkeys(PARAMETERS, 0)
    for record in rig.line.desk.records():
        fills[record.owner] += len(record.fills)
    assert all(fills.values()), fills
    for index, symbol in enumerate(SYMBOLS):
        believed = sum(host.strategy.position_of(symbol) for host in hosts.values())
        assert rig.net(rig.instruments[index]).get("main", 0.0) == pytest.approx(believed)
    rig.line.strategies.stop_all("on_shutdown")
    for _ in range(10):
        rig.wait(1.0)
    assert rig.line.strategies.leaving == frozenset()
    assert [host.strategy.position_of(symbol) for host in hosts.values() for symbol in SYMBOLS] == [0.0] * 10
    assert list(rig.line.desk.open_records()) == []
