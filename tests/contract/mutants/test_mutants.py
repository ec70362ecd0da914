"""The contract suite fails on every broken adapter that is kept here, and each time a test of the broken promise does."""

import re

import pytest

from foxtrot.adapter.simulated.adapter import SimulatedAdapter
from tests.contract.mutants import broken_links, broken_orders, broken_questions
from tests.contract.mutants.broken_promises import BREAKS
from tests.contract.mutants.suite import MODULES, cases, verdict
from tests.support.contract_rig import ContractRig
from tests.support.simulated_rig import SimulatedRig

MUTANTS = {mutant.__name__: mutant for mutant in BREAKS}


def rig_of(mutant: type[SimulatedAdapter]) -> ContractRig:
    """A rig whose adapter is a broken one."""
    return SimulatedRig(threaded=True, adapter_class=mutant)


def first_failure(mutant: type[SimulatedAdapter], prefix: str) -> tuple[str, str]:
    """The first contract test that fails on a broken adapter, and why."""
    for case in cases(prefix):
        why = verdict(case, lambda: rig_of(mutant))
        if why:
            return case.name, why
    return "", ""


@pytest.mark.parametrize("name", list(MUTANTS))
def test_a_test_of_the_broken_promise_fails(name: str) -> None:
    mutant = MUTANTS[name]
    failed, why = first_failure(mutant, f"test_{BREAKS[mutant]}_")
    print(f"{name}: {failed}: {why}")
    assert failed, f"no test of promise {BREAKS[mutant]} notices {name}: {mutant.__doc__}"


def test_there_are_at_least_fifteen_mutants_and_one_of_each_promise() -> None:
    assert len(BREAKS) >= 15
    assert {mutant.__module__ for mutant in BREAKS} == {
        broken_links.__name__,
        broken_orders.__name__,
        broken_questions.__name__,
    }
    assert set(BREAKS.values()) == set(range(1, 10))


def test_the_suite_has_at_least_sixty_tests_and_each_names_its_promise() -> None:
    names = {case.name.partition("[")[0] for case in cases()}
    assert len(names) >= 60
    for module in MODULES:
        number = module.split("_")[1]
        assert [name for name in names if re.match(f"test_{number}_", name)] != []
    assert all(re.match(r"test_[1-9]_[a-z]", name) for name in names)


def test_an_adapter_that_keeps_a_promise_passes_the_same_calls() -> None:
    assert first_failure(SimulatedAdapter, "test_8_") == ("", "")


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", list(MUTANTS))
def test_how_much_of_the_suite_fails_on_each_broken_adapter(name: str) -> None:
    failed = [case.name for case in cases() if verdict(case, lambda: rig_of(MUTANTS[name]))]
    print(f"{name}: {len(failed)} fail: {', '.join(failed[:12])}")
    assert failed
