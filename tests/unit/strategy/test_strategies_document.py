"""Every strategy shown in docs/strategies.md runs: it trades a made-up market without failing."""

import re
from pathlib import Path

import pytest

from foxtrot.strategy.host import Stage
from foxtrot.strategy.loader import load_strategy
from tests.support.instruments import a_perpetual
from tests.support.line_rig import LineRig

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "strategies.md"
BLOCKS = re.findall(r"```python\n(.*?)```", DOCUMENT.read_text("utf-8"), re.S)


@pytest.mark.parametrize("code", BLOCKS, ids=[re.search(r"class (\w+)", block)[1] for block in BLOCKS])  # type: ignore[index]
def test_a_strategy_of_the_document_runs(code: str, tmp_path: Path) -> None:
    path = tmp_path / "shown.py"
    path.write_text(code, "utf-8")
    rig = LineRig(a_perpetual())
    for minute in range(60):
        rig.trade(100.0 + minute % 3)
        rig.wait(60)
    rig.start(load_strategy(str(path)), parameters={})
    for minute in range(130):
        price = 100.0 + minute % 7
        rig.quote(price - 0.5, price + 0.5)
        rig.trade(price)
        rig.wait(60)
    rig.stop()
    assert rig.stages()[-2:] == ["running", "stopped"], rig.line.strategies.hosts["one"].reason
    assert rig.line.strategies.hosts["one"].stage is Stage.STOPPED


def test_the_document_shows_strategies() -> None:
    assert len(BLOCKS) >= 4
