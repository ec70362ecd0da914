"""Adapters are found by name, and whatever is wrong with one is one clear line."""

from importlib.metadata import EntryPoint

import pytest

from foxtrot.adapter import registry
from foxtrot.adapter.base_adapter import AdapterContext
from foxtrot.adapter.simulated.adapter import SimulatedAdapter
from foxtrot.core.clock import ManualClock
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.errors import ConfigError
from tests.support.recorder import Recorder


def _installed(monkeypatch: pytest.MonkeyPatch, **values: str) -> None:
    points = [EntryPoint(name, value, registry.GROUP) for name, value in values.items()]
    monkeypatch.setattr(registry, "entry_points", lambda group: [point for point in points if point.group == group])


def test_the_simulated_adapter_is_installed_by_its_entry_point() -> None:
    assert "simulated" in registry.adapter_names()
    assert registry.load_adapter("simulated") is SimulatedAdapter


def test_an_adapter_is_made_for_the_account_of_its_context() -> None:
    context = AdapterContext("acc", Recorder(), SendPermit(), ManualClock(1), {"agents": 0}, {})
    adapter = registry.make_adapter("simulated", context)
    assert isinstance(adapter, SimulatedAdapter)
    assert adapter.account == "acc"


def test_a_misspelt_name_is_answered_with_the_nearest_one() -> None:
    with pytest.raises(ConfigError, match=r"adapter simulatd is not known; did you mean simulated\?"):
        registry.load_adapter("simulatd")


def test_a_name_like_no_other_is_answered_with_those_there_are(monkeypatch: pytest.MonkeyPatch) -> None:
    _installed(monkeypatch, alpha="a:A", beta="b:B")
    with pytest.raises(ConfigError, match="adapter zzz is not known; installed: alpha, beta"):
        registry.load_adapter("zzz")


def test_a_missing_sdk_is_named_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    _installed(monkeypatch, futu="no_such_sdk.adapter:Adapter")
    with pytest.raises(ConfigError, match=r"futu cannot be imported .*no_such_sdk.*pip install 'foxtrot\[futu\]'"):
        registry.load_adapter("futu")


def test_an_entry_point_to_nothing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    _installed(monkeypatch, odd="foxtrot.adapter.registry:Nothing")
    with pytest.raises(ConfigError, match=r"adapter odd: foxtrot\.adapter\.registry:Nothing names no class"):
        registry.load_adapter("odd")


@pytest.mark.parametrize("value", ["foxtrot.core.clock:SystemClock", "foxtrot.adapter.registry:GROUP"])
def test_what_is_no_adapter_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    _installed(monkeypatch, odd=value)
    with pytest.raises(ConfigError, match="which is not a BaseAdapter"):
        registry.load_adapter("odd")


def test_nothing_of_an_adapter_is_imported_for_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    _installed(monkeypatch, futu="no_such_sdk.adapter:Adapter")
    assert registry.adapter_names() == ("futu",)
