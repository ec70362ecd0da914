"""The rigs the contract suite runs on: one line per venue and way of running it. A new adapter adds its own here."""

from collections.abc import Callable

from tests.support.contract_rig import ContractRig
from tests.support.simulated_rig import SimulatedRig

RIGS: dict[str, Callable[[], ContractRig]] = {
    "simulated": lambda: SimulatedRig(threaded=True),
    "simulated_in_line": lambda: SimulatedRig(threaded=False),
}
