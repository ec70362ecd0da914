"""The double average on a handful of closes whose sums anyone can check."""

import pytest

from foxtrot.domain.enums import Product
from foxtrot.samples.double_ma import DoubleMa
from tests.support.history import bars_of_closes, replay

CLOSES = [10.0, 10.0, 12.0, 12.0, 9.0, 9.0, 11.0, 11.0]
# fast 2, slow 3, at each close from the third: 3 * (sum of 2) - 2 * (sum of 3) in units of 1:
#   12: 66 - 64 = +   12: 72 - 68 = +   9: 63 - 66 = -   9: 54 - 60 = -   11: 60 - 58 = +   11: 66 - 62 = +


@pytest.mark.parametrize(
    ("product", "fills"),
    [
        (Product.PERPETUAL, [("buy", 1.0, 12.0), ("sell", 2.0, 9.0), ("buy", 2.0, 11.0)]),
        (Product.SPOT, [("buy", 1.0, 12.0), ("sell", 1.0, 9.0), ("buy", 1.0, 11.0)]),
    ],
)
def test_it_trades_where_the_sums_cross_and_is_flat_instead_of_short_on_spot(
    product: Product, fills: list[tuple[str, float, float]]
) -> None:
    result = replay(DoubleMa, bars_of_closes(CLOSES), product=product, fast=2, slow=3, size=1.0)
    assert [(str(trade.side), trade.quantity, trade.price) for trade in result.trades] == fills
    assert (result.failures, result.denied) == ((), {})
