"""The rigs the contract suite runs on: one line per venue and way of running it. A new adapter adds its own here."""

from collections.abc import Callable

from foxtrot.domain.enums import Product
from tests.support.binance_rig import BinanceRig
from tests.support.contract_rig import ContractRig
from tests.support.futu_contract_rig import FutuRig
from tests.support.ib_contract_rig import IbRig
from tests.support.real_urls_rig import RealUrlsRig
from tests.support.simulated_rig import SimulatedRig

RIGS: dict[str, Callable[[], ContractRig]] = {
    "simulated": lambda: SimulatedRig(threaded=True),
    "simulated_in_line": lambda: SimulatedRig(threaded=False),
    "binance_spot": lambda: BinanceRig(Product.SPOT),
    "binance_usdm": lambda: BinanceRig(Product.PERPETUAL),
    "futu": FutuRig,
    "ib": IbRig,
}
"""Every contract test runs once on each rig."""

MARKET_RIGS: dict[str, Callable[[], ContractRig]] = {
    "binance_spot_by_ccxt": lambda: BinanceRig(Product.SPOT, hot_path=False),
    "binance_usdm_by_ccxt": lambda: BinanceRig(Product.PERPETUAL, hot_path=False),
}
"""Another way of the same adapter to the public market: the tests of promises 3, 5 and 6 run on these too."""

REAL_URL_RIGS: dict[str, Callable[[], ContractRig]] = {
    "binance_spot_real_urls": lambda: RealUrlsRig(Product.SPOT),
    "binance_usdm_real_urls": lambda: RealUrlsRig(Product.PERPETUAL),
}
"""Every contract test once more with Binance's real addresses, resolved to TLS on this machine: `scripts/test --slow`."""
