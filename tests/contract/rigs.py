"""The rigs the contract suite runs on: one line per venue and way of running it. A new adapter adds its own here."""

from collections.abc import Callable

from foxtrot.domain.enums import Product
from tests.support.binance_rig import BinanceRig
from tests.support.contract_rig import ContractRig
from tests.support.simulated_rig import SimulatedRig

RIGS: dict[str, Callable[[], ContractRig]] = {
    "simulated": lambda: SimulatedRig(threaded=True),
    "simulated_in_line": lambda: SimulatedRig(threaded=False),
    "binance_spot": lambda: BinanceRig(Product.SPOT),
    "binance_usdm": lambda: BinanceRig(Product.PERPETUAL),
}
