"""Answers what a desktop asks, on the engine's thread."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import msgspec

from foxtrot.app.account_venues import account_venues
from foxtrot.app.account_worth import account_worth
from foxtrot.app.blotter_answers import BlotterAnswers
from foxtrot.app.control_answers import ControlAnswers, Wish
from foxtrot.app.control_kill import KillAnswers
from foxtrot.app.control_notices import ControlNotices
from foxtrot.app.control_requests import FollowKill, Request
from foxtrot.app.desktop_instruments import InstrumentAnswers
from foxtrot.app.desktop_preview import OrderPreviews
from foxtrot.app.desktop_requests import (
    AccountOverview,
    AskInstrument,
    AskTerms,
    DescribedStrategies,
    DescribeStrategies,
    ListedInstruments,
    ListInstruments,
    Overview,
    OverviewFound,
    PreviewOrder,
)
from foxtrot.app.desktop_risk import RiskAnswers
from foxtrot.app.desktop_risk_requests import RiskOverview
from foxtrot.app.desktop_wishes import DesktopWishes
from foxtrot.app.history_requests import ListHistory
from foxtrot.app.main_engine import MainEngine
from foxtrot.app.money_history import MoneyHistory
from foxtrot.app.platform_journal import NAME as JOURNAL
from foxtrot.app.strategy_forms import strategy_form
from foxtrot.core.notices import AdapterStatus, ContractsLoaded
from foxtrot.domain.enums import OrderStatus
from foxtrot.domain.instrument import Instrument
from foxtrot.trading.losses import TradingDay

OWNER = "desktop"


class DesktopAnswers:
    """What the control port answers, and the figures that a window shows all the time.

    Thread: foxtrot-engine; made before it starts, so that no status is missed.
    """

    def __init__(self, platform: MainEngine) -> None:
        self._platform = platform
        self._line = platform.line
        dispatcher = self._line.dispatcher
        self._control = ControlAnswers(self._line, ControlNotices(dispatcher))
        self._previews = OrderPreviews(self._line, platform.config)
        self._blotters = BlotterAnswers(self._line, platform.clock)
        self._risk = RiskAnswers(self._line, platform.config.limit_table())
        self.kills = KillAnswers(self._line, self._control.rows)
        self._statuses: dict[str, AdapterStatus] = {}
        self._listed: dict[str, dict[str, Instrument]] = {}
        self._venues = {venue.account: venue for venue in account_venues(platform.config)}
        self._money = _money_history(platform)
        self._own: dict[type[Request], Callable[[Any], msgspec.Struct | Wish]] = {
            **self._blotters.by_kind,
            Overview: lambda _: self._overview(),
            ListHistory: self._money.answer,
            ListInstruments: lambda wish: self._instruments(wish.account),
            PreviewOrder: self._previews.preview,
            AskTerms: lambda wish: self._previews.terms(wish.account),
            AskInstrument: InstrumentAnswers(self._line).answer,
            DescribeStrategies: lambda _: self._strategies(),
            RiskOverview: lambda _: self._risk.overview(),
            **DesktopWishes(self._line).by_kind,
            FollowKill: lambda wish: self.kills.follow(wish.kill_id),
        }
        dispatcher.subscribe(AdapterStatus, self._hear_status, owner=OWNER)
        dispatcher.subscribe(ContractsLoaded, self._hear_contracts, owner=OWNER)

    def answer(self, request: Request) -> msgspec.Struct | Wish:
        """Answer a question, or check a wish and make its command.

        Raises:
            FoxtrotError: it cannot be done, and why.
        """
        own = self._own.get(type(request))
        if own is not None:
            return own(request)
        return self._control.answer(request)

    def _overview(self) -> OverviewFound:
        line, config = self._line, self._platform.config
        portfolio, now_ns = line.portfolio, line.dispatcher.clock.now_ns()
        made = [portfolio.account_profit(name) for name in line.adapters]
        today = [self._blotters.history.day_profit(name) for name in line.adapters]
        unknown = sum(record.status is OrderStatus.UNKNOWN for record in line.desk.open_records())
        return OverviewFound(
            portfolio.base_currency,
            config.platform.mode,
            now_ns,
            tuple(self._account(name) for name in line.adapters),
            {owner: portfolio.equity(owner) for owner in line.strategies.hosts},
            _total(made),
            _total(today),
            line.desk.open_count,
            unknown,
            str(line.gate.state),
            line.gate.reason,
            self._platform.events.statistics(),
            self._blotters.history.since_ns,
        )

    def _account(self, name: str) -> AccountOverview:
        adapter, venue = self._line.adapters[name], self._venues.get(name)
        return AccountOverview(
            name,
            adapter.adapter_name,
            "" if venue is None else venue.environment,
            venue is not None and venue.real_money,
            self._line.portfolio.account(name).reported,
            self._line.portfolio.account_profit(name),
            adapter.health(),
            self._statuses.get(name),
            account_worth(self._line, name),
            self._blotters.history.day_profit(name),
        )

    def _instruments(self, account: str) -> ListedInstruments:
        wanted = [account] if account else list(self._listed)
        return ListedInstruments({name: tuple(self._listed.get(name, {}).values()) for name in wanted})

    def _strategies(self) -> DescribedStrategies:
        line = self._line
        forms = (
            strategy_form(host, line.dispatcher.traces.get(name, "")) for name, host in line.strategies.hosts.items()
        )
        return DescribedStrategies(line.portfolio.base_currency, tuple(forms))

    def _hear_status(self, status: AdapterStatus) -> None:
        self._statuses[status.account] = status

    def _hear_contracts(self, loaded: ContractsLoaded) -> None:
        listed = self._listed.setdefault(loaded.account, {})
        listed.update({one.instrument_id: one for one in loaded.instruments})


def _money_history(platform: MainEngine) -> MoneyHistory:
    line, config = platform.line, platform.config
    day = TradingDay(config.platform.timezone, config.platform.day_start)
    return MoneyHistory(config.data_dir(platform.home) / JOURNAL, day, line.rates, line.portfolio.base_currency)


def _total(amounts: list[Decimal | None]) -> Decimal | None:
    """Return the sum, None where one is not known."""
    known = [amount for amount in amounts if amount is not None]
    return sum(known, Decimal(0)) if len(known) == len(amounts) else None
