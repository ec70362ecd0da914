"""How often accounts are reconciled while the platform runs."""

import msgspec


class ReconcileSettings(msgspec.Struct, frozen=True, kw_only=True):
    """At a start, after a loss and when asked, accounts are reconciled whatever stands here; `enabled` is for what is between.

    `orders_s` is how often open orders are compared, `positions_s` how often positions, balances and fills.
    """

    enabled: bool = True
    orders_s: float = 10.0
    positions_s: float = 30.0
