"""A random run with margin, liquidations, funding and expiry: money is conserved, and a restored venue goes on as the original."""

from collections.abc import Iterator
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from foxtrot.domain.enums import PositionMode, PositionSide
from foxtrot.domain.errors import InputError
from foxtrot.domain.fees import FeeSchedule, load_preset
from foxtrot.exchange import commands as c
from foxtrot.exchange.events import FundingPaid, Liquidated, PositionSettled, VenueEvent
from foxtrot.exchange.venue import Venue
from tests.support.instruments import a_future, a_perpetual, a_spot, a_stock
from tests.support.random_commands import HOUR_NS, MIDDLE, RandomTrader

PERPETUAL, FUTURE, STOCK, SPOT = "PERP", "FUT", "STOCK", "SPOT"
NAMES = (PERPETUAL, PERPETUAL, FUTURE, STOCK, SPOT)
ACCOUNTS = ("ann", "bob", "hedger", "whale")


def scene() -> Iterator[c.VenueCommand]:
    fees = FeeSchedule.percentage(Decimal("-0.0001"), Decimal("0.0005"))
    perpetual = a_perpetual(instrument_id=PERPETUAL, funding_interval_s=60)
    future = a_future(instrument_id=FUTURE, multiplier=Decimal("0.001"), settle_asset="USDT", expiry_ns=HOUR_NS)
    yield c.AddInstrument(0, perpetual, fees=fees)
    yield c.AddInstrument(0, future)
    yield c.AddInstrument(0, a_stock(instrument_id=STOCK, quote_asset="USDT"), fees=load_preset("ib_us_fixed"))
    yield c.AddInstrument(0, a_spot(instrument_id=SPOT), fees=fees, fee_asset_mode="received")
    yield c.SetFundingRate(0, PERPETUAL, Decimal("0.0013"))
    for name in ACCOUNTS:
        mode = PositionMode.HEDGING if name == "hedger" else PositionMode.NETTING
        yield c.OpenAccount(0, name, mode, margin_checked=name != "whale", allow_short=name == "bob")
        yield c.Deposit(0, name, "USDT", Decimal(30 if name != "whale" else 100_000))
        yield c.Deposit(0, name, "BTC", Decimal(2))


class MarginTrader(RandomTrader):
    """Random orders over all products, and prices that jump."""

    def command(self) -> c.VenueCommand:
        """Return the next command."""
        draw, pick = self.random.random(), self.random
        self.now += pick.choice((1, 1, HOUR_NS // 400))
        if draw < 0.08:
            return c.SetMarkPrice(self.now, pick.choice((PERPETUAL, FUTURE)), MIDDLE + pick.randint(-120, 120))
        if draw < 0.09:
            return c.Withdraw(self.now, pick.choice(ACCOUNTS), "USDT", Decimal(pick.randint(1, 5)))
        account, name = pick.choice(ACCOUNTS), pick.choice(NAMES)
        if draw < 0.25:
            return c.CancelOrder(self.now, *self.recent(account, name)[:2], 0, self.recent(account, name)[2])
        if draw < 0.35:
            return self.amend(account, name)
        return self.order(account, name)

    def order(self, account: str, name: str) -> c.PlaceOrder:
        """Return an order that fits the account's position mode."""
        wish = self.place("free", PERPETUAL)
        hedged = account == "hedger" and name in (PERPETUAL, FUTURE)
        side = self.random.choice((PositionSide.LONG, PositionSide.SHORT)) if hedged else PositionSide.NET
        self.placed[-1] = (account, name, wish.client_order_id)
        size = max(1, wish.quantity // 40) if name == STOCK else wish.quantity * 5
        fields = {key: getattr(wish, key) for key in wish.__struct_fields__}
        changes = {"account": account, "instrument_id": name, "position_side": side, "quantity": size}
        return c.PlaceOrder(**(fields | changes | {"display_quantity": 0}))


def run(venue: Venue, trader: MarginTrader, commands: int) -> list[str]:
    answers = []
    for _ in range(commands):
        answers.append(venue.execute(trader.command()).code.value)
        venue.validate()
    return answers


def test_a_random_run_liquidates_funds_and_settles_with_all_money_accounted_for() -> None:
    seen: list[VenueEvent] = []
    for seed in range(3):
        venue, trader = Venue(seen.append), MarginTrader(seed)
        for command in scene():
            assert venue.execute(command).ok
        answers = run(venue, trader, 1_500)
        assert answers.count("ok") > 500
        assert answers.count("account.insufficient_margin") > 10
    for kind in (Liquidated, FundingPaid, PositionSettled):
        assert any(type(event) is kind for event in seen), kind


@given(seed=st.integers(0, 10**6), before=st.integers(0, 400), after=st.integers(1, 200))
@settings(max_examples=25)
def test_a_restored_venue_answers_tells_and_stands_as_the_original(seed: int, before: int, after: int) -> None:
    told: list[VenueEvent] = []
    venue, trader = Venue(told.append), MarginTrader(seed)
    for command in scene():
        venue.execute(command)
    for _ in range(before):
        venue.execute(trader.command())
    retold: list[VenueEvent] = []
    restored = Venue.restore(venue.snapshot(), retold.append)
    assert restored.state_hash() == venue.state_hash()
    assert restored.snapshot() == venue.snapshot()
    told.clear()
    for _ in range(after):
        command = trader.command()
        assert restored.execute(command) == venue.execute(command)
    assert retold == told
    assert restored.next_timer_ns() == venue.next_timer_ns()
    assert restored.state_hash() == venue.state_hash()
    assert restored.snapshot() == venue.snapshot()
    restored.validate()


@given(seed=st.integers(0, 10**6), before=st.integers(0, 200))
@settings(max_examples=5)
def test_a_venue_takes_up_a_snapshot_in_place_and_goes_on_as_the_original(seed: int, before: int) -> None:
    told: list[VenueEvent] = []
    venue, trader = Venue(told.append), MarginTrader(seed)
    for command in scene():
        venue.execute(command)
    for _ in range(before):
        venue.execute(trader.command())
    retold: list[VenueEvent] = []
    other = Venue(retold.append)
    other.execute(c.OpenAccount(0, "somebody who is not there any more"))
    other.take_up(venue.snapshot())
    told.clear()
    retold.clear()
    for _ in range(200):
        command = trader.command()
        assert other.execute(command) == venue.execute(command)
        assert other.next_timer_ns() == venue.next_timer_ns()
    assert retold == told
    assert other.snapshot() == venue.snapshot()
    other.validate()
    with pytest.raises(InputError):
        other.take_up(b"no snapshot")
    assert other.snapshot() == venue.snapshot()


@given(seed=st.integers(0, 10**6))
@settings(max_examples=5)
def test_the_same_commands_give_the_same_events(seed: int) -> None:
    streams: list[list[VenueEvent]] = [[], []]
    for stream in streams:
        venue, trader = Venue(stream.append), MarginTrader(seed)
        for command in scene():
            venue.execute(command)
        for _ in range(300):
            venue.execute(trader.command())
    assert streams[0] == streams[1]
