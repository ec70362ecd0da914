"""How a strategy is set up, as forms are made of it."""

from foxtrot.app.desktop_requests import ParameterForm, StrategyForm
from foxtrot.strategy.host import StrategyHost
from foxtrot.strategy.parameters import Parameter, declared
from foxtrot.strategy.settings import OCCASIONS


def parameter_forms(strategy_class: type) -> tuple[ParameterForm, ...]:
    """Return what a class declares as parameters, in its order."""
    return tuple(
        ParameterForm(name, type(one.default).__name__, one.default, one.minimum, one.maximum, one.description)
        for name, one in declared(strategy_class, Parameter).items()
    )


def strategy_form(host: StrategyHost, trace: str = "") -> StrategyForm:
    """Return how a strategy is set up.

    Thread: foxtrot-engine.
    """
    settings = host.settings
    policy = settings.exit_policy
    exits = {on: (str(policy.orders_on(on)), str(policy.position_on(on))) for on in OCCASIONS}
    parameters = parameter_forms(type(host.strategy))
    return StrategyForm(
        host.strategy_id, settings.class_name, settings.interval, settings.capital, parameters, exits, trace
    )
