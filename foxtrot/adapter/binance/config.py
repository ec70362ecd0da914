"""Settings of a Binance account."""

import enum


class BinanceProduct(enum.StrEnum):
    """Which of Binance's exchanges an adapter trades at; decides URLs, wire and the suffix of instrument ids."""

    SPOT = "spot"
    USDM = "usdm"

    @property
    def suffix(self) -> str:
        """Return what instrument ids of this product end with."""
        return ".BINANCE" if self is BinanceProduct.SPOT else ".BINANCE_USDM"
