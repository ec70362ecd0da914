"""A server that keeps the sessions of its markets, over a day moved by hand: state, trading, agents at lunch."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from foxtrot.core.clock import ManualClock
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.wire.futu.surface_settings import FutuSettings
from tests.support.futu_rig import futu_port, served_futu
from tests.support.futu_sdk import FutuContexts

STRICT = FutuSettings(always_open=False)
HONG_KONG = ZoneInfo("Asia/Hong_Kong")


def at(text: str) -> int:
    """A moment of Hong Kong on a Wednesday, in ns."""
    return int(datetime.fromisoformat(f"2026-11-25 {text}").replace(tzinfo=HONG_KONG).timestamp() * 1e9)


def move(server: ExchangeServer, clock: ManualClock, text: str) -> None:
    """Let it be that time."""
    clock.move_to(at(text))
    server.step()


def states(context: Any) -> tuple[str, str]:
    """What OpenD says of Hong Kong and of the United States."""
    state = context.get_global_state()[1]
    return state["market_hk"], state["market_us"]


def prints(server: ExchangeServer) -> int:
    """The newest trade of 00700.SEHK by its number."""
    return server.call(lambda one: max((t.trade_id for t in one.host.venue.trades("00700.SEHK", 1)), default=0))


def test_the_state_of_both_markets_follows_the_clock(futu_contexts: FutuContexts) -> None:
    clock = ManualClock(at("08:00"))
    with served_futu(futu=STRICT, clock=clock) as server:
        quote = futu_contexts.quote(futu_port(server))
        found = [states(quote)]
        for moment in ("09:10", "09:30", "12:00", "13:00", "16:05", "17:30", "22:30"):
            move(server, clock, moment)
            found.append(states(quote))
    assert found == [
        ("CLOSED", "AFTER_HOURS_BEGIN"), ("AUCTION", "CLOSED"), ("MORNING", "CLOSED"), ("REST", "CLOSED"), ("AFTERNOON", "CLOSED"),
        ("AUCTION", "CLOSED"), ("CLOSED", "PRE_MARKET_BEGIN"), ("CLOSED", "AFTERNOON"),
    ]  # fmt: skip


def test_nobody_trades_at_lunch_and_everybody_goes_on_after_it(futu_contexts: FutuContexts) -> None:
    clock = ManualClock(at("11:59"))
    with served_futu(futu=STRICT, clock=clock, agents=8) as server:
        for second in range(10, 16):
            move(server, clock, f"11:59:{second}")
        before = prints(server)
        assert before > 0
        move(server, clock, "12:00:00")
        at_noon = prints(server)
        for second in range(10, 16):
            move(server, clock, f"12:30:{second}")
        assert prints(server) == at_noon
        for second in range(10, 16):
            move(server, clock, f"13:00:{second}")
        assert prints(server) > at_noon
