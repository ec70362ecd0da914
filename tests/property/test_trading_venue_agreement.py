"""Our position and the embedded venue's, kept by separate code, realise the same profit to the last unit."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from foxtrot.domain.instrument import Grid
from foxtrot.exchange.accounts import Position as VenuePosition
from foxtrot.exchange.money import notional_factor, to_decimal
from foxtrot.trading.position import Position
from tests.support.builders import T0, a_perpetual

INSTRUMENTS = [
    a_perpetual(),
    a_perpetual(price_grid=Grid.of("0.25"), quantity_grid=Grid.of(1), multiplier=Decimal(50)),
    a_perpetual(price_grid=Grid.of("0.0000001"), quantity_grid=Grid.of("0.00001"), multiplier=Decimal("0.001")),
]
fills = st.lists(st.tuples(st.integers(-3000, 3000).filter(bool), st.integers(1, 10**6)), max_size=40)


@given(st.sampled_from(INSTRUMENTS), fills)
def test_realised_profit_quantity_and_cost_equal_the_venues(instrument: object, trades: list[tuple[int, int]]) -> None:
    ours, venue, unit = Position(instrument), VenuePosition(), notional_factor(instrument)  # type: ignore[arg-type]
    for number, (units, price) in enumerate(trades):
        ours.apply((T0 + number, 1, "t", units, price))
        venue.fill(units, price * unit)
        assert ours.quantity == venue.quantity
        assert ours.realised_profit() == to_decimal(venue.realised)
        assert ours.held_cost() == to_decimal(venue.cost)
