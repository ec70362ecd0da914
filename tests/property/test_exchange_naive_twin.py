"""The fast venue and its naive twin go through the same random commands and must agree in every answer and every state.

On the way the fast one is replaced by its own snapshot, restored, at random moments, and its money is counted.
"""

import random
from collections import Counter

import pytest

from foxtrot.exchange.events import OrderFilled, TradePrinted, VenueEvent
from foxtrot.exchange.venue import Venue
from tests.support.naive_venue import NaiveVenue
from tests.support.random_commands import RandomTrader, opening

CHECK_EVERY = 100
RESTORE_EVERY = 1_000


class Comparison:
    """Both venues, what they answered and what they traded."""

    def __init__(self, seed: int) -> None:
        self.trades: dict[str, list[tuple[int, int, int]]] = {}
        self.answers: Counter[str] = Counter()
        self.fast, self.naive = Venue(self.hear), NaiveVenue()
        self.trader = RandomTrader(seed)
        self.cuts = random.Random(-seed)
        for command in opening():
            assert self.fast.execute(command).ok
            assert self.naive.execute(command).ok

    def hear(self, event: VenueEvent) -> None:
        if isinstance(event, TradePrinted):
            row = (event.trade_id, event.price, event.quantity)
            self.trades.setdefault(event.instrument_id, []).append(row)
        elif isinstance(event, OrderFilled):
            self.answers["fills"] += 1

    def run(self, commands: int) -> Counter[str]:
        """Run both; return how often each answer was given."""
        for number in range(commands):
            command = self.trader.command()
            got, expected = self.fast.execute(command), self.naive.execute(command)
            assert got.code is expected.code, (number, command, got, expected)
            self.answers[f"{type(command).__name__} {got.code}"] += 1
            if number % CHECK_EVERY == 0:
                self.check()
            if self.cuts.random() < 1 / RESTORE_EVERY:
                self.fast = Venue.restore(self.fast.snapshot(), self.hear)
                self.answers["restored"] += 1
                self.check()
        self.check()
        return self.answers

    def check(self) -> None:
        assert self.fast.state_hash() == self.naive.state_hash(), self.trader.count
        self.fast.validate()
        for name, market in self.naive.markets.items():
            printed = self.trades.get(name, [])
            assert printed == market.trades
            printed.clear()
            market.forget_trades()


@pytest.mark.parametrize("seed", range(6))
def test_the_fast_venue_equals_the_naive_one_over_random_commands(seed: int) -> None:
    answers = Comparison(seed).run(5_000)
    assert answers["fills"] > 1_000
    assert answers["restored"]


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(1_000, 1_040))
def test_the_fast_venue_equals_the_naive_one_over_a_million_random_commands(seed: int) -> None:
    answers = Comparison(seed).run(25_000)
    for code in ("matching.post_only_would_take", "matching.fill_or_kill_unfillable", "account.insufficient_balance"):
        assert answers[f"PlaceOrder {code}"], answers
    assert answers["AmendOrder ok"] > 300
    assert answers["restored"] > 5
