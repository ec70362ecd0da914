"""What is wrong with a strategy class can be told before it runs: mistyped handlers, hidden attributes, a wrong constructor."""

import inspect
from difflib import get_close_matches

from foxtrot.domain.errors import ConfigError
from foxtrot.strategy.base import Strategy
from foxtrot.strategy.parameters import Parameter, Variable, declared

HANDLERS = tuple(name for name in vars(Strategy) if name.startswith("on_"))
OWN_VALUES = frozenset({"strategy_id", "account", "symbols", "interval", "clock", "random", "_seat"})
"""What the constructor of Strategy sets on every instance."""


def check_class(strategy_class: type[Strategy]) -> type[Strategy]:
    """Return a strategy class that can work.

    Raises:
        ConfigError: a handler that would never be called or never run, a parameter or variable in the place of something
            of Strategy's, or a constructor that does not take the seat.
    """
    _check_handlers(strategy_class)
    _check_declared(strategy_class)
    _check_constructor(strategy_class)
    return strategy_class


def _check_handlers(strategy_class: type[Strategy]) -> None:
    for name in dir(strategy_class):
        method = getattr(strategy_class, name, None)
        if not name.startswith("on_") or not callable(method):
            continue
        what = f"{strategy_class.__name__}.{name}"
        if name not in HANDLERS:
            close = get_close_matches(name, HANDLERS, n=1)
            hint = f"did you mean {close[0]}?" if close else f"there are: {', '.join(HANDLERS)}"
            raise ConfigError(f"{what} is never called; {hint} (a method of your own needs a name without on_)")
        if inspect.iscoroutinefunction(method) or inspect.isasyncgenfunction(method):
            raise ConfigError(f"{what} is async and would never run; write def instead of async def")
        if inspect.isgeneratorfunction(method):
            raise ConfigError(f"{what} contains yield and would never run; take it out")


def _check_declared(strategy_class: type[Strategy]) -> None:
    for kind in (Parameter, Variable):
        for name in declared(strategy_class, kind):
            if hasattr(Strategy, name) or name in OWN_VALUES:
                own = f"{kind.kind} {name} of {strategy_class.__name__}"
                raise ConfigError(f"{own} hides Strategy.{name}; rename it, such as my_{name.strip('_')}")


def _check_constructor(strategy_class: type[Strategy]) -> None:
    try:
        inspect.signature(strategy_class).bind(None)
    except (TypeError, ValueError):
        text = f"{strategy_class.__name__}.__init__ must take the seat: def __init__(self, seat) and super().__init__(seat)"
        raise ConfigError(f"{text}, or leave it out and use on_init") from None
