"""The rig of every contract test."""

from collections.abc import Iterator
from importlib.util import find_spec

import pytest

from tests.contract.rigs import MARKET_RIGS, REAL_URL_RIGS, RIGS
from tests.support import contract_document
from tests.support.contract_rig import ContractRig
from tests.support.futu_sdk import import_futu

OF_THE_MARKET = ("test_3_reconnecting", "test_5_bars", "test_5_depth", "test_6_books", "test_6_interface")


def pytest_configure(config: pytest.Config) -> None:
    """Let a run that is asked to write the page of Binance's contract tests."""
    contract_document.register(config)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test on every rig, those of public market data on each way to it; by real addresses when slow ones run."""
    if "rig" in metafunc.fixturenames:
        of_the_market = metafunc.module.__name__.rpartition(".")[2] in OF_THE_MARKET
        once = [pytest.param(name, marks=pytest.mark.slow) for name in REAL_URL_RIGS]
        metafunc.parametrize("rig", [*RIGS, *(MARKET_RIGS if of_the_market else ()), *once], indirect=True)


@pytest.fixture(scope="session", autouse=True)
def futu_network_thread() -> None:
    """Start the thread that Futu's SDK never ends, before any test counts threads."""
    if find_spec("futu") is not None:
        import_futu()


@pytest.fixture
def rig(request: pytest.FixtureRequest) -> Iterator[ContractRig]:
    """An open market at one venue and an adapter that is not connected yet."""
    with (RIGS | MARKET_RIGS | REAL_URL_RIGS)[request.param]() as made:
        reason = made.skips.get(getattr(request.node, "originalname", ""))
        if reason is not None:
            pytest.skip(f"{made.name}: {reason}")
        yield made
