"""Answers what a desktop asks about limits, on the engine's thread."""

from collections.abc import Iterator
from decimal import Decimal

from foxtrot.app.desktop_risk_requests import LimitUse, RiskFound
from foxtrot.strategy.line import Line
from foxtrot.trading.exposure import Exposure
from foxtrot.trading.limits import LimitTable, Scope
from foxtrot.trading.position import ZERO

Use = tuple[str, Decimal, Decimal | None, str]
"""A rule, its limit, what stands against it, and the instrument where that is."""


class RiskAnswers:
    """Says what stands against each limit; counts and marks nothing.

    Thread: foxtrot-engine.
    """

    def __init__(self, line: Line, limits: LimitTable) -> None:
        self._line = line
        self._scopes = limits.all_scopes()
        self._exposure = Exposure(line.desk, line.portfolio)

    def overview(self) -> RiskFound:
        """Return every limit with its use."""
        uses = tuple(
            LimitUse(
                scope.name, scope.owner, scope.account, rule, limit, used, instrument_id, self._locked(scope, rule)
            )
            for scope in self._scopes
            for rule, limit, used, instrument_id in self._uses(scope)
            if limit
        )
        return RiskFound(self._line.portfolio.base_currency, uses, dict(self._line.risk.refusals))

    def _uses(self, scope: Scope) -> Iterator[Use]:
        limits, owner, account = scope.limits, scope.owner, scope.account
        if limits.max_position:
            yield self._worst_position(scope)
        if limits.max_exposure:
            yield "max_exposure", limits.max_exposure, self._exposure.worst_value(None, owner, account), ""
        if limits.max_daily_loss or limits.max_drawdown:
            yield from self._losses(scope)
        if limits.max_open_orders:
            count = sum(1 for _ in self._line.desk.open_records(owner, account))
            yield "max_open_orders", Decimal(limits.max_open_orders), Decimal(count), ""
        yield "messages_per_s", Decimal(limits.messages_per_s), Decimal(self._line.risk.messages(scope)), ""
        yield "max_order_quantity", Decimal(repr(limits.max_order_quantity)), None, ""
        yield "max_order_notional", limits.max_order_notional, None, ""

    def _worst_position(self, scope: Scope) -> Use:
        instruments, worst, where = self._line.instruments, ZERO, ""
        for (instrument_id, _), units in self._exposure.worst_places(None, scope.owner, scope.account).items():
            quantity = instruments[instrument_id].quantity_grid.to_decimal(units)
            if quantity > worst:
                worst, where = quantity, instrument_id
        return "max_position", Decimal(repr(scope.limits.max_position)), worst, where

    def _losses(self, scope: Scope) -> Iterator[Use]:
        worth = self._line.risk.loss_rules.worth(scope)
        day, drawdown = (None, None) if worth is None else self._line.losses.lost(scope.name, worth)
        yield "max_daily_loss", scope.limits.max_daily_loss, None if day is None else max(day, ZERO), ""
        yield "max_drawdown", scope.limits.max_drawdown, None if drawdown is None else max(drawdown, ZERO), ""

    def _locked(self, scope: Scope, rule: str) -> str:
        reason = self._line.loss_locks.reason(scope.name)
        return reason if reason.startswith(rule) else ""
