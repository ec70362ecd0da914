"""Whatever the instrument demands, no trader is refused, no money is lost, and the same seed repeats."""

from decimal import Decimal

from hypothesis import given, settings
from hypothesis import strategies as st

from foxtrot.domain.enums import Product
from foxtrot.domain.fees import load_preset
from foxtrot.domain.instrument import Grid, Instrument, PriceBand
from foxtrot.exchange.commands import AddInstrument, AdvanceTime, PlaceOrder, VenueCommand
from foxtrot.exchange.market_maker import Population
from foxtrot.exchange.result import CommandResult
from foxtrot.exchange.venue import Venue

START_NS = 1_700_000_000_000_000_000


@st.composite
def instruments(draw: st.DrawFn) -> tuple[Instrument, int]:
    """An instrument with any mix of rules, and a price in units to begin with, often beside the edge of a price band."""
    price_step, quantity_step = (
        draw(st.sampled_from(["0.001", "0.01", "0.25", "1"])),
        draw(st.sampled_from(["0.00001", "0.01", "1"])),
    )
    edge = draw(st.integers(10, 500)) * 20
    bands = draw(st.sampled_from([(PriceBand(0, 1),), (PriceBand(0, 1), PriceBand(edge, 5), PriceBand(2 * edge, 20))]))
    product = draw(st.sampled_from([Product.SPOT, Product.STOCK, Product.PERPETUAL]))
    lot = draw(st.sampled_from([1, 7, 100]))
    price = draw(st.sampled_from([edge - 3, edge + 3, 2 * edge, 50 * edge]))
    instrument = Instrument(
        instrument_id="X.TEST",
        symbol="X",
        venue="TEST",
        product=product,
        base_asset="X",
        quote_asset="USD",
        settle_asset="USD",
        price_grid=Grid.of(price_step),
        quantity_grid=Grid.of(quantity_step),
        price_bands=bands,
        lot_units=lot,
        min_quantity_units=lot * draw(st.sampled_from([0, 1, 3])),
        max_quantity_units=draw(st.sampled_from([0, 10**12 + 3])),
        min_notional=Decimal(draw(st.sampled_from([0, 5, 100]))),
        max_open_orders=draw(st.sampled_from([0, 12, 200])),
        price_limit_rate=Decimal(draw(st.sampled_from(["0", "0.1", "0.3"]))),
        initial_margin_rate=Decimal(draw(st.sampled_from(["1", "0.05"]))),
        maintenance_margin_rate=Decimal("0.02"),
    )
    return instrument, price


def play(
    listed: tuple[Instrument, int], steps_ms: list[int], *, seed: int, mode: str
) -> tuple[Venue, list[VenueCommand], list[tuple[VenueCommand, CommandResult]]]:
    """Run a population through steps and return the venue, all commands, and the refused ones with the answer."""
    instrument, price = listed
    venue = Venue(lambda _: None)
    venue.execute(AddInstrument(START_NS, instrument, "price_time", load_preset("binance_spot"), mode))
    prices = {instrument.instrument_id: instrument.price_grid.to_decimal(price)}
    population = Population((instrument,), prices, seed=seed)
    commands, refused, now_ns = list(population.opening(START_NS)), [], START_NS
    for command in commands:
        assert venue.execute(command).ok
    for step_ms in steps_ms:
        now_ns += step_ms * 1_000_000
        venue.execute(AdvanceTime(now_ns))
        for command in population.act(venue, now_ns):
            result = venue.execute(command)
            commands.append(command)
            if not result.ok:
                refused.append((command, result))
    return venue, commands, refused


STEPS_MS = st.lists(st.sampled_from([1, 20, 20, 20, 100, 700, 5_000]), min_size=1, max_size=12)


@settings(max_examples=25)
@given(instruments(), STEPS_MS, st.integers(0, 10**6), st.sampled_from(["received", "quote"]))
def test_on_any_instrument_nobody_is_refused_and_no_money_is_lost(
    listed: tuple[Instrument, int], steps_ms: list[int], seed: int, mode: str
) -> None:
    venue, commands, refused = play(listed, steps_ms, seed=seed, mode=mode)
    assert refused == []
    assert listed[0].price_limit_rate or any(isinstance(command, PlaceOrder) for command in commands)
    venue.validate()


@settings(max_examples=5)
@given(instruments(), STEPS_MS, st.integers(0, 10**6))
def test_the_same_seed_and_times_repeat_every_command_and_the_state(
    listed: tuple[Instrument, int], steps_ms: list[int], seed: int
) -> None:
    first, second = (play(listed, steps_ms, seed=seed, mode="received") for _ in range(2))
    assert first[1] == second[1]
    assert first[0].state_hash() == second[0].state_hash()
