"""Settings of a Binance account."""

from foxtrot.domain.enums import Product

PRODUCTS = {"spot": Product.SPOT, "usdm": Product.PERPETUAL}
"""The setting `product`, and what it means in our own words."""
