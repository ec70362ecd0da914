"""A class that cannot work is refused when it is loaded, with what to do about it."""

from pathlib import Path

import pytest

from foxtrot.domain.errors import ConfigError
from foxtrot.strategy.base import Strategy
from foxtrot.strategy.class_checks import OWN_VALUES
from foxtrot.strategy.loader import load_strategy
from tests.support.instruments import a_perpetual
from tests.support.line_rig import LineRig

HEAD = "from foxtrot.api import Parameter, Strategy, Variable\n\n\nclass Mine(Strategy):\n"


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("def on_bars(self, bar): pass", "Mine.on_bars is never called; did you mean on_bar?"),
        ("def on_fill(self, trade): pass", "Mine.on_fill is never called; "),
        ("async def on_bar(self, bar): pass", "Mine.on_bar is async and would never run"),
        ("async def on_bar(self, bar): yield", "Mine.on_bar is async and would never run"),
        ("def on_bar(self, bar): yield", "Mine.on_bar contains yield and would never run"),
        (
            "interval = Parameter('1m')",
            "parameter interval of Mine hides Strategy.interval; rename it, such as my_interval",
        ),
        ("position = Variable(0.0)", "variable position of Mine hides Strategy.position"),
        ("buy = Parameter(1.0)", "parameter buy of Mine hides Strategy.buy"),
        ("_seat = Parameter(1.0)", "parameter _seat of Mine hides Strategy._seat; rename it, such as my_seat"),
        ("def __init__(self): pass", "Mine.__init__ must take the seat"),
        ("def __init__(self, seat, size): pass", "Mine.__init__ must take the seat"),
    ],
)
def test_a_class_that_cannot_work_does_not_load(tmp_path: Path, body: str, message: str) -> None:
    path = tmp_path / "mine.py"
    path.write_text(f"{HEAD}    {body}\n", "utf-8")
    for name in (str(path), f"{path}:Mine"):
        with pytest.raises(ConfigError, match=message.replace("?", r"\?")):
            load_strategy(name)


@pytest.mark.parametrize(
    "body",
    [
        "on_hold = False",
        "size = Parameter(1.0)",
        "def bars_of_the_hour(self, bar): pass",
        "def __init__(self, seat): super().__init__(seat)",
        "def __init__(self, *args): super().__init__(*args)",
    ],
)
def test_a_class_that_can_work_loads(tmp_path: Path, body: str) -> None:
    path = tmp_path / "mine.py"
    path.write_text(f"{HEAD}    {body}\n", "utf-8")
    assert load_strategy(str(path)).__name__ == "Mine"


class Mistyped(Strategy):
    def on_trad(self, trade: object) -> None:
        """Never be called."""


class Unseated(Strategy):
    def __init__(self, seat: object) -> None:
        """Forget the base."""


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        (Mistyped, r"Mistyped.on_trad is never called; did you mean on_trade\?"),
        (Unseated, r"strategy one: Unseated cannot be made: its __init__ must call super\(\).__init__\(seat\)"),
    ],
)
def test_a_class_that_is_given_as_such_is_checked_too(kind: type[Strategy], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        LineRig(a_perpetual()).add(kind)


def test_every_value_that_the_constructor_sets_is_protected() -> None:
    assert set(vars(LineRig(a_perpetual()).add(Strategy).strategy)) == OWN_VALUES
