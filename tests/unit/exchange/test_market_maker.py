"""The population of a living market, on the real venue."""

from collections import Counter
from decimal import Decimal
from random import Random

import pytest

from foxtrot.domain.enums import OrderType, Product, Side, TimeInForce
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.fees import FeeSchedule, load_preset
from foxtrot.domain.instrument import Grid, Instrument
from foxtrot.exchange.agents.fair_value import TICK_NS, FairValue
from foxtrot.exchange.agents.maker import Maker
from foxtrot.exchange.agents.purse import Endowment, Purse
from foxtrot.exchange.agents.terms import Terms
from foxtrot.exchange.commands import (
    AddInstrument,
    AdvanceTime,
    AmendOrder,
    Deposit,
    OpenAccount,
    PlaceOrder,
    VenueCommand,
    Withdraw,
)
from foxtrot.exchange.events import OrderFilled, OrderTriggered, TradePrinted, VenueEvent
from foxtrot.exchange.listings import REFERENCE_PRICES, default_listings, listing
from foxtrot.exchange.market_maker import LONGEST_ABSENCE_NS, Population
from foxtrot.exchange.result import CommandResult
from foxtrot.exchange.venue import Venue

START_NS = 1_700_000_000_000_000_000
STEP_NS = 20_000_000
SECOND_NS = 1_000_000_000
BTC = listing("BTCUSDT.BINANCE")


class LivingMarket:
    """A venue, its population, and everything that was asked, answered and told."""

    def __init__(self, *instruments: Instrument, fees: str = "binance_spot", **settings: object) -> None:
        self.events: list[VenueEvent] = []
        self.commands: list[VenueCommand] = []
        self.refusals: list[tuple[VenueCommand, CommandResult]] = []
        self.instruments = instruments or (BTC,)
        self.now_ns = START_NS
        self.venue = Venue(self.events.append)
        schedule = FeeSchedule.zero() if fees == "none" else load_preset(fees)
        for instrument in self.instruments:
            self.execute(AddInstrument(START_NS, instrument, "price_time", schedule, "received"))
        self.population = Population(self.instruments, REFERENCE_PRICES, **settings)  # type: ignore[arg-type]
        for command in self.population.opening(START_NS):
            self.execute(command)

    def execute(self, command: VenueCommand) -> None:
        result = self.venue.execute(command)
        self.commands.append(command)
        if not result.ok:
            self.refusals.append((command, result))

    def run(self, seconds: float, step_ns: int = STEP_NS) -> "LivingMarket":
        end_ns = self.now_ns + int(seconds * SECOND_NS)
        while self.now_ns < end_ns:
            self.now_ns += step_ns
            self.venue.execute(AdvanceTime(self.now_ns))
            for command in self.population.act(self.venue, self.now_ns):
                self.execute(command)
        return self

    def trades(self, instrument_id: str = "") -> list[TradePrinted]:
        return [
            event for event in self.events if type(event) is TradePrinted and instrument_id in ("", event.instrument_id)
        ]


@pytest.fixture(scope="module")
def bitcoin() -> LivingMarket:
    return LivingMarket().run(10)


@pytest.fixture(scope="module")
def all_listings() -> LivingMarket:
    return LivingMarket(*default_listings()).run(5)


def test_eight_agents_are_of_four_kinds_and_each_has_an_account() -> None:
    population = Population((BTC,), REFERENCE_PRICES)
    assert population.kinds == ("maker", "taker", "trend", "noise")
    assert Counter(population.account_kinds.values()) == {"maker": 2, "taker": 3, "trend": 1, "noise": 2}
    opened = [command.account for command in population.opening(START_NS) if isinstance(command, OpenAccount)]
    assert opened == list(population.account_kinds)


def test_four_agents_are_enough_for_all_kinds() -> None:
    assert len(Population((BTC,), REFERENCE_PRICES, agents=4).kinds) == 4


def test_every_trader_begins_with_the_asset_and_the_money_for_it() -> None:
    deposits = [c for c in Population((BTC,), REFERENCE_PRICES).opening(START_NS) if isinstance(c, Deposit)]
    assert {(d.asset, d.amount) for d in deposits} == {("BTC", Decimal(1_000)), ("USDT", Decimal(60_000_000))}
    assert len(deposits) == 16


def test_more_than_a_hundred_trades_a_second_and_none_refused(bitcoin: LivingMarket) -> None:
    assert len(bitcoin.trades()) > 10 * 100
    assert bitcoin.refusals == []


def test_all_listings_live_the_first_two_most_and_nothing_is_refused(all_listings: LivingMarket) -> None:
    counts = [len(all_listings.trades(i.instrument_id)) for i in all_listings.instruments]
    assert min(counts) > 10
    assert min(counts[:2]) > 3 * max(counts[2:])
    assert sum(counts) > 5 * 100
    assert all_listings.refusals == []


def test_money_is_conserved_and_every_lock_is_right(bitcoin: LivingMarket, all_listings: LivingMarket) -> None:
    bitcoin.venue.validate()
    all_listings.venue.validate()


def test_the_book_is_two_sided_deep_and_narrow_after_every_step() -> None:
    market, spreads = LivingMarket(), []
    for _ in range(200):
        market.run(0.02)
        _, bids, asks = market.venue.depth(BTC.instrument_id)
        assert min(len(bids), len(asks)) >= 10
        spreads.append(asks[0][0] - bids[0][0])
    assert sorted(spreads)[len(spreads) // 2] <= 5


def test_everything_a_customer_can_do_is_done_by_somebody(bitcoin: LivingMarket) -> None:
    placed = [command for command in bitcoin.commands if isinstance(command, PlaceOrder)]
    types = {command.order_type for command in placed}
    assert types == {OrderType.LIMIT, OrderType.MARKET, OrderType.STOP, OrderType.TRAILING_STOP}
    assert {command.time_in_force for command in placed} == {TimeInForce.GTC, TimeInForce.IOC, TimeInForce.GTD}
    assert any(command.display_quantity for command in placed)
    assert any(isinstance(command, AmendOrder) for command in bitcoin.commands)
    assert any(isinstance(event, OrderTriggered) for event in bitcoin.events)


def test_takers_and_makers_get_partial_fills(bitcoin: LivingMarket) -> None:
    kinds = bitcoin.population.account_kinds
    fills = [event for event in bitcoin.events if isinstance(event, OrderFilled)]
    partial = Counter(kinds[fill.account] for fill in fills if fill.filled < fill.quantity)
    assert partial["maker"] > 20
    assert partial["taker"] > 20


def test_trades_stay_near_the_reference_price(bitcoin: LivingMarket) -> None:
    assert all(abs(trade.price - 6_000_000) < 60_000 for trade in bitcoin.trades())


def test_the_same_seed_and_times_give_the_same_commands_and_state() -> None:
    first, second = LivingMarket(seed=7).run(2), LivingMarket(seed=7).run(2)
    assert first.commands == second.commands
    assert first.venue.state_hash() == second.venue.state_hash()


def test_another_seed_gives_another_market() -> None:
    assert LivingMarket(seed=7).run(1).commands != LivingMarket(seed=8).run(1).commands


def test_activity_is_per_second_however_often_the_population_is_asked() -> None:
    def takers_orders(step_ns: int) -> int:
        market = LivingMarket().run(1, step_ns)
        market.commands.clear()
        kinds = market.population.account_kinds
        placed = [c.account for c in market.run(10, step_ns).commands if isinstance(c, PlaceOrder)]
        return sum(kinds[account] == "taker" for account in placed)

    assert takers_orders(10_000_000) == pytest.approx(2_100, rel=0.05)
    assert takers_orders(250_000_000) == pytest.approx(2_100, rel=0.05)


def test_a_step_of_a_second_is_neither_refused_nor_does_it_empty_the_book() -> None:
    market = LivingMarket()
    for _ in range(20):
        market.run(1, SECOND_NS)
        assert all(market.venue.depth(BTC.instrument_id)[1:])
    assert market.refusals == []
    assert len(market.trades()) > 20 * 100


def test_what_was_missed_in_a_long_absence_is_not_made_up_for() -> None:
    market = LivingMarket().run(1)
    market.now_ns += 3_600 * SECOND_NS
    busy = len(market.population.act(market.venue, market.now_ns))
    assert 0 < busy < 600 * LONGEST_ABSENCE_NS // SECOND_NS


def test_a_population_that_makes_up_for_less_acts_less_on_a_machine_that_is_too_slow() -> None:
    def takers_orders(longest_absence_ns: int) -> int:
        market = LivingMarket(longest_absence_ns=longest_absence_ns).run(20, SECOND_NS // 2)
        kinds = market.population.account_kinds
        placed = [command.account for command in market.commands if isinstance(command, PlaceOrder)]
        return sum(kinds[account] == "taker" for account in placed)

    assert takers_orders(SECOND_NS // 10) == pytest.approx(takers_orders(SECOND_NS) / 5, rel=0.1)


def test_asked_twice_at_the_same_time_nobody_acts_again() -> None:
    market = LivingMarket().run(1)
    assert market.population.act(market.venue, market.now_ns) == ()
    assert market.population.act(market.venue, market.now_ns - SECOND_NS) == ()


def test_a_crowd_acts_no_more_than_eight_do() -> None:
    crowd, usual = LivingMarket(agents=64).run(3), LivingMarket().run(3)
    assert len(crowd.population.account_kinds) == 64
    assert len(crowd.commands) - 64 * 3 < 1.5 * (len(usual.commands) - 8 * 3)


def test_a_poor_trader_stays_silent_instead_of_being_refused() -> None:
    market = LivingMarket()
    for account in market.population.account_kinds:
        market.execute(Withdraw(START_NS, account, "BTC", Decimal(1_000)))
    market.run(2)
    placed = [command for command in market.commands if isinstance(command, PlaceOrder)]
    assert market.refusals == []
    assert placed
    assert {command.side for command in placed} == {Side.BUY}


def test_an_expired_contract_is_left_alone() -> None:
    future = Instrument(
        instrument_id="ESZ6.CME", symbol="ESZ6", venue="CME", product=Product.FUTURE, base_asset="ES",
        quote_asset="USD", settle_asset="USD", price_grid=Grid.of("0.25"), quantity_grid=Grid.of(1),
        multiplier=Decimal(50), initial_margin_rate=Decimal("0.1"), maintenance_margin_rate=Decimal("0.05"),
        expiry_ns=START_NS + SECOND_NS,
    )  # fmt: skip
    prices = {"ESZ6.CME": Decimal(5_000)}
    population = Population((future,), prices)
    venue = Venue(lambda _: None)
    venue.execute(AddInstrument(START_NS, future, "price_time", FeeSchedule.zero()))
    for command in population.opening(START_NS):
        venue.execute(command)
    assert population.act(venue, START_NS + STEP_NS)
    assert population.act(venue, START_NS + SECOND_NS) == ()


def test_the_market_follows_a_recorded_path() -> None:
    path = [(0, 60_000.0), (2 * SECOND_NS, 60_600.0), (4 * SECOND_NS, 60_300.0)]
    market = LivingMarket(path={BTC.instrument_id: path})
    for seconds, price in ((2, 60_600), (2, 60_300), (2, 60_300)):
        market.run(seconds)
        bid = market.venue.depth(BTC.instrument_id, 1)[1][0][0]
        assert BTC.price(bid) == pytest.approx(price, rel=2e-4)
    assert market.refusals == []


def test_between_two_points_of_a_path_the_value_moves_evenly() -> None:
    fair = FairValue(BTC, Decimal(0), Random(1), [(50, 100.0), (50 + 10 * TICK_NS, Decimal(200))])
    fair.open(START_NS)
    assert fair.opening == 10_000
    assert fair.at(START_NS + 5 * TICK_NS) == pytest.approx(15_000, abs=1)
    assert fair.at(START_NS + 99 * TICK_NS) == pytest.approx(20_000, abs=1)


def test_the_fair_value_wanders_the_same_whenever_it_is_asked() -> None:
    often, seldom = (FairValue(BTC, Decimal(60_000), Random(3)) for _ in range(2))
    often.open(START_NS)
    seldom.open(START_NS)
    values = [often.at(START_NS + tick * TICK_NS // 2) for tick in range(400)]
    assert len(set(values)) > 150
    assert seldom.at(START_NS + 399 * TICK_NS // 2) == values[-1]


def test_a_makers_ladder_moves_down_when_he_holds_too_much() -> None:
    bids = []
    for surplus in (Decimal(5), Decimal("0.00001")):
        market = LivingMarket(agents=1, fees="none")
        market.execute(Deposit(START_NS, "agent-1", "BTC", surplus))
        bids.append(market.run(0.3).venue.depth(BTC.instrument_id, 1)[1][0][0])
    assert bids[1] - bids[0] == pytest.approx(20, abs=2)


def test_all_makers_look_at_the_same_moments() -> None:
    maker = Maker("agent-1", Random(1))
    assert maker.next_due_ns(0, 105, 50) == 150
    assert maker.next_due_ns(0, 150, 50) == 200


def test_a_purse_sets_aside_what_was_asked_for_and_says_when_it_is_empty() -> None:
    terms = Terms(BTC)
    venue = Venue(lambda _: None)
    venue.execute(AddInstrument(START_NS, BTC, "price_time", FeeSchedule.zero()))
    venue.execute(OpenAccount(START_NS, "a"))
    venue.execute(Deposit(START_NS, "a", "USDT", Decimal(1_000)))
    purse = Purse(venue, "a", Endowment(((terms, 6_000_000),)))
    half = BTC.quantity_units("0.00900")
    assert purse.spend(terms, True, half, 6_000_000)
    assert not purse.spend(terms, True, half, 6_000_000)
    assert not purse.spend(terms, False, BTC.lot_units, 6_000_000)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"agents": 0}, "population of 0 agents"),
        ({"prices": {}}, "neither a reference price nor a path"),
        ({"prices": {BTC.instrument_id: Decimal(0)}}, "at least one step above 0"),
        ({"path": {BTC.instrument_id: [(5, 1.0), (5, 2.0)]}}, "its times must ascend"),
        ({"path": {BTC.instrument_id: [(5, 1.0), (6, -2.0)]}}, "the price at 6"),
    ],
)
def test_a_population_that_cannot_live_is_refused_with_the_reason(settings: dict[str, object], message: str) -> None:
    arguments: dict[str, object] = {"prices": REFERENCE_PRICES, **settings}
    with pytest.raises(ConfigError, match=message):
        Population((BTC,), **arguments)  # type: ignore[arg-type]


def test_a_value_that_jumps_beyond_the_price_band_is_reached_in_steps_none_of_them_refused() -> None:
    narrow = Instrument(
        instrument_id="X.TEST", symbol="X", venue="TEST", product=Product.SPOT, base_asset="X", quote_asset="USD",
        settle_asset="USD", price_grid=Grid.of("0.01"), quantity_grid=Grid.of(1), price_limit_rate=Decimal("0.1"),
    )  # fmt: skip
    market = LivingMarket(narrow, path={"X.TEST": [(0, 2.0), (SECOND_NS, 2.0), (SECOND_NS + 1, 3.0)]})
    market.run(1)
    assert 195 <= market.trades()[-1].price <= 205
    market.run(9)
    assert market.refusals == []
    assert 295 <= market.trades()[-1].price <= 305
