"""Whatever is bounded per order costs the same however the order is cut into fills."""

from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from foxtrot.domain.enums import Liquidity, Side
from foxtrot.domain.fees import FeeBasis, FeeItem, FeeRounding, FeeSchedule, FeeTier, load_preset

fills = st.lists(st.tuples(st.integers(1, 5_000), st.integers(1, 50_000)), min_size=1, max_size=8)
rates = st.decimals("0", "0.05", places=5)
money = st.decimals("0", "20", places=2)


@st.composite
def order_items(draw):
    rate, minimum = draw(rates), draw(money)
    return FeeItem(
        name="commission",
        unit=draw(st.sampled_from(["notional", "quantity", "order"])),
        scope="order",
        tiers=(FeeTier(Decimal(0), rate, rate, minimum),),
        maximum=draw(money),
        maximum_rate=draw(rates),
        minimum_wins=draw(st.booleans()),
        rounding=draw(st.sampled_from([None, FeeRounding(2), FeeRounding(0, "up")])),
    )


def charges(schedule, sizes_and_cents):
    """Charge the fills of one order one after another."""
    quantity, notional, charged = Decimal(0), Decimal(0), []
    for size, cents in sizes_and_cents:
        value = size * Decimal(cents) / 100
        basis = FeeBasis(Side.BUY, Liquidity.TAKER, Decimal(size), value, quantity, notional, sum(charged, Decimal(0)))
        charged.append(schedule.fee(basis))
        quantity, notional = quantity + size, notional + value
    return charged, quantity, notional


@given(order_items(), fills)
def test_the_fills_of_an_order_add_up_to_the_fee_of_one_fill(item, sizes_and_cents):
    schedule = FeeSchedule(name="x", items=(item,))
    charged, quantity, notional = charges(schedule, sizes_and_cents)
    assert sum(charged) == schedule.fee(FeeBasis(Side.BUY, Liquidity.TAKER, quantity, notional))


@given(order_items(), fills)
def test_a_later_fill_never_pays_money_back(item, sizes_and_cents):
    charged, _, _ = charges(FeeSchedule(name="x", items=(item,)), sizes_and_cents)
    assert all(amount >= 0 for amount in charged)


@given(order_items(), fills)
def test_the_order_stays_inside_its_bounds(item, sizes_and_cents):
    exact = FeeItem(**{name: getattr(item, name) for name in item.__struct_fields__ if name != "rounding"})
    charged, _, notional = charges(FeeSchedule(name="x", items=(exact,)), sizes_and_cents)
    minimum = item.tiers[0].minimum
    if item.minimum_wins:
        assert sum(charged) >= minimum
        return
    if item.maximum:
        assert sum(charged) <= item.maximum
    if item.maximum_rate:
        assert sum(charged) <= item.maximum_rate * notional


@given(st.sampled_from(["binance_spot", "futu_hk", "futu_us", "ib_us_tiered"]), st.sampled_from(Side), fills)
def test_the_breakdown_adds_up_to_the_fee(name, side, sizes_and_cents):
    schedule = load_preset(name)
    for size, cents in sizes_and_cents:
        basis = FeeBasis(side, Liquidity.MAKER, Decimal(size), size * Decimal(cents) / 100)
        assert sum(amount for _, amount in schedule.breakdown(basis)) == schedule.fee(basis)
