"""Answers what the tables of a desktop ask for beside orders, positions and fills."""

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from foxtrot.app.blotter_requests import (
    ListPerformance,
    ListProtections,
    ListWorth,
    ProtectionLegs,
    WorthFound,
)
from foxtrot.app.control_requests import Request
from foxtrot.app.profit_history import ProfitHistory
from foxtrot.app.protection_legs import protection_legs
from foxtrot.core.clock import Clock
from foxtrot.strategy.line import Line


class BlotterAnswers:
    """Answers about protections, profit and worth.

    Thread: foxtrot-engine; made before it starts.
    """

    def __init__(self, line: Line, clock: Clock) -> None:
        self._line = line
        self.history = ProfitHistory(line, clock)
        self.by_kind: Mapping[type[Request], Callable[[Any], msgspec.Struct]] = {
            ListProtections: self._protections,
            ListPerformance: self.history.answer,
            ListWorth: lambda _: self._worth(),
        }
        """Class of a question → who answers it."""

    def _protections(self, request: ListProtections) -> ProtectionLegs:
        return ProtectionLegs(
            tuple(
                leg
                for leg in protection_legs(self._line)
                if request.account in ("", leg.account)
                and request.strategy in ("", leg.owner)
                and request.instrument in ("", leg.instrument_id)
            )
        )

    def _worth(self) -> WorthFound:
        portfolio, into = self._line.portfolio, self._line.portfolio.base_currency
        told = (portfolio.account(name).reported for name in self._line.adapters)
        assets = {balance.asset for data in told if data is not None for balance in data.balances if balance.total}
        return WorthFound(into, {asset: portfolio.rates.convert(Decimal(1), asset, into) for asset in sorted(assets)})
