"""The hours before an exchange opens: real matches at their own times, nothing left over, and a market that goes on there."""

from argparse import ArgumentTypeError
from itertools import pairwise
from statistics import pstdev

import pytest

from foxtrot.app.demo_market import wide_market
from foxtrot.app.exchange_config import ExchangeConfig
from foxtrot.app.exchange_opening import VenueOpening
from foxtrot.app.exchange_tables import ExchangeTable
from foxtrot.app.verbs.exchange import past
from foxtrot.core.clock import ManualClock
from foxtrot.exchange.past import QUOTING, TAKING
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.server_settings import ServerPorts, ServerSettings
from foxtrot.exchange.tape import MINUTE_NS
from tests.support.builders import T0

HOURS = 2.0
CANDLES = int(HOURS * 60)


def _server(hours: float = HOURS) -> ExchangeServer:
    market = wide_market(hours)
    settings = ServerSettings(
        ports=ServerPorts(binance_spot=0), agents=8, instruments=market.instruments, prices=market.prices,
        shares=market.shares, past_hours=hours,
    )  # fmt: skip
    return ExchangeServer(settings, ManualClock(T0))


@pytest.fixture(scope="module")
def server() -> ExchangeServer:
    """A server with two hours behind it, on which nobody has acted yet."""
    return _server()


def test_every_instrument_has_candles_up_to_now(server: ExchangeServer) -> None:
    venue = server.host.venue
    for one in venue.instruments():
        candles = venue.klines(one.instrument_id, MINUTE_NS, 10_000)
        assert len(candles) in (CANDLES, CANDLES + 1)
        assert T0 - candles[-1].open_time_ns < 2 * MINUTE_NS
        assert [c.open_time_ns for c in candles] == sorted({c.open_time_ns for c in candles})
        assert all(c.low <= min(c.open, c.close) <= max(c.open, c.close) <= c.high for c in candles)
        day = venue.ticker(one.instrument_id)
        assert day.open == candles[0].open
        assert day.high == max(c.high for c in candles)
        assert day.volume == sum(c.volume for c in candles)


def test_prices_move_as_a_markets_do(server: ExchangeServer) -> None:
    """Not flat, not mad, and quiet and wild stretches are told apart."""
    venue = server.host.venue
    quarters = []
    for one in venue.instruments():
        closes = [c.close for c in venue.klines(one.instrument_id, MINUTE_NS, 10_000)]
        moves = [(after / before - 1) * 1e4 for before, after in pairwise(closes)]
        assert 1 < pstdev(moves) < 30
        parts = [pstdev(moves[at : at + 15]) for at in range(0, len(moves) - 15, 15)]
        quarters.append(max(parts) / min(parts))
    assert max(quarters) > 2


def test_it_leaves_no_order_behind_and_money_is_conserved(server: ExchangeServer) -> None:
    venue = server.host.venue
    venue.validate()
    assert [venue.open_orders(account) for account in (QUOTING, TAKING)] == [(), ()]
    assert venue.depth("BTCUSDT.BINANCE", 5)[1:] == ((), ())


def test_the_living_market_goes_on_at_the_last_price() -> None:
    server = _server(0.2)
    host = server.host
    clock = server.clock
    assert isinstance(clock, ManualClock)
    before = {one.instrument_id: host.venue.ticker(one.instrument_id) for one in host.venue.instruments()}
    for _ in range(20):
        clock.advance(100_000_000)
        host.pass_time()
    host.venue.validate()
    for name, then in before.items():
        now = host.venue.ticker(name)
        assert 0 < now.bid_price < now.ask_price
        assert abs(now.ask_price / then.last_price - 1) < 0.005
        assert now.volume >= then.volume
    trades = host.venue.trades("BTCUSDT.BINANCE", 1_000)
    ids = [one.trade_id for one in trades]
    assert ids == list(range(ids[0], ids[0] + len(ids)))


def test_the_same_seed_has_the_same_past() -> None:
    one, other = (_server(0.1).host.venue.state_hash() for _ in range(2))
    assert one == other


def test_an_exchange_of_the_command_line_has_a_past_when_asked() -> None:
    config = ExchangeConfig(exchange=ExchangeTable(agents=8, past_hours=0.5))
    server = ExchangeServer(
        ServerSettings(ports=ServerPorts(binance_usdm=0), agents=0, instruments=()), ManualClock(T0)
    )
    VenueOpening(server, config).open((), None, None)
    venue = server.host.venue
    assert len(venue.klines("BTCUSDT.BINANCE_USDM", MINUTE_NS, 1_000)) in (30, 31)
    venue.validate()
    assert [past("0"), past("6.5")] == [0.0, 6.5]
    for wrong in ("-1", "25", "nan", "long"):
        with pytest.raises(ArgumentTypeError, match="hours from 0 to 24"):
            past(wrong)
