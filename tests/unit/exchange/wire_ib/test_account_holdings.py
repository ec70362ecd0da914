"""The cost of a position with its commissions, and what closing it realises, whichever way it goes."""

from decimal import Decimal
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from foxtrot.exchange.wire.ib.holdings import Holding

FILLS = st.lists(
    st.tuples(
        st.integers(-50, 50).filter(bool), st.integers(1, 500), st.decimals(0, 3, places=2, allow_nan=False)
    ),
    max_size=25,
)  # fmt: skip


def fill(held: Holding, signed: int, price: int, fee: str = "0") -> Decimal | None:
    """Buy or sell at a price."""
    return held.fill(Decimal(signed), Decimal(abs(signed) * price), Decimal(fee))


def test_a_position_that_turns_is_closed_and_opened_with_its_share_of_the_commission() -> None:
    held = Holding()
    assert fill(held, 100, 10, "1") is None
    assert held.average == Decimal("10.01")
    assert fill(held, -150, 12, "3") == 100 * 12 - 1001 - 2
    assert (held.quantity, held.average) == (-50, Decimal("11.98"))
    assert fill(held, 50, 11, "1") == 50 * Decimal("11.98") - 550 - 1
    assert (held.quantity, held.average) == (0, 0)
    assert held.realised == 197 + 48


@given(FILLS)
def test_realised_and_open_profit_add_up_to_what_was_paid(fills: list[tuple[int, int, Decimal]]) -> None:
    held, money, quantity = Holding(), Decimal(0), 0
    for signed, price, fee in fills:
        fill(held, signed, price, str(fee))
        money -= signed * price + fee
        quantity += signed
    assert held.quantity == quantity
    assert abs(Fraction(held.realised - held.cost) - Fraction(money)) < Fraction(1, 10**12)
