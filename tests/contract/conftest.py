"""Every contract test runs once on each rig."""

from collections.abc import Iterator

import pytest

from tests.contract.rigs import RIGS
from tests.support.contract_rig import ContractRig


@pytest.fixture(params=list(RIGS))
def rig(request: pytest.FixtureRequest) -> Iterator[ContractRig]:
    """An open market at one venue and an adapter that is not connected yet."""
    with RIGS[request.param]() as made:
        yield made
