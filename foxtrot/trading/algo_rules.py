"""Orders that name an algorithm of their venue's own: only one that the venue has, for a type that it works, with its parameters."""

from typing import Final

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.capabilities import Algo
from foxtrot.domain.errors import OrderRefused
from foxtrot.domain.order import OrderRequest

RULE: Final = "algo"


def check_algo(request: OrderRequest, adapter: BaseAdapter) -> None:
    """Refuse an algorithm that the venue does not have, and parameters that are not its own.

    Raises:
        OrderRefused: rule algo; the limit names what there is.
    """
    if not request.algo:
        if request.algo_params:
            raise OrderRefused(RULE, "parameters belong to an algorithm; name it by `algo`", _shown(request))
        return
    algos = adapter.capabilities.algos
    found = next((one for one in algos if one.name == request.algo), None)
    if found is None:
        known = ", ".join(one.name for one in algos) or f"none at {adapter.adapter_name}"
        raise OrderRefused(RULE, known, request.algo)
    if request.order_type not in found.order_types:
        known = ", ".join(sorted(found.order_types))
        raise OrderRefused(RULE, f"{found.name} works {known}", request.order_type)
    _check_parameters(found, request)


def _check_parameters(found: Algo, request: OrderRequest) -> None:
    allowed = dict(found.parameters)
    named = [name for name, _ in request.algo_params]
    for name, value in request.algo_params:
        if name not in allowed or named.count(name) > 1:
            known = ", ".join(allowed) or "none"
            raise OrderRefused(RULE, f"parameters of {found.name}, each once: {known}", name)
        values = allowed[name]
        if values and value not in values:
            raise OrderRefused(RULE, f"{name} of {found.name}: {', '.join(values)}", value)


def _shown(request: OrderRequest) -> str:
    return ", ".join(f"{name}={value}" for name, value in request.algo_params)
