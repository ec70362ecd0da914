"""How the changes of Binance's books follow each other, by product."""

from collections.abc import Callable
from typing import Final

from foxtrot.books.sequence import ContiguousIds, PreviousId, SequenceRule
from foxtrot.domain.enums import Product

RULES: Final[dict[Product, Callable[[], SequenceRule]]] = {Product.SPOT: ContiguousIds, Product.PERPETUAL: PreviousId}
