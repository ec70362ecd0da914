"""The audit at the stop: what every venue has, compared with what desk and portfolio built from events alone."""

import threading
from collections.abc import Mapping

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.app.engine_questions import EngineQuestions
from foxtrot.core.commands import AuditAccounts
from foxtrot.core.event_engine import EventEngine
from foxtrot.domain.order import TradeData
from foxtrot.strategy.line import Line
from foxtrot.trading.audit import Audit, AuditFinished, Difference

OWNER = "final_audit"


class FinalAudit:
    """Asks every venue, and once more where an account differs.

    Thread: made before the engine starts; `differences`, main; the rest, foxtrot-engine.
    """

    def __init__(self, line: Line, events: EventEngine, questions: EngineQuestions) -> None:
        self._line = line
        self._events = events
        self._questions = questions
        self._auditor = Audit(line.dispatcher, line.desk, line.portfolio)
        self._round = _Round(())
        self._fills_heard: set[str] = set()
        line.dispatcher.subscribe(AuditAccounts, self._on_audit_accounts, owner=OWNER, core=True)
        line.dispatcher.subscribe(AuditFinished, self._on_audit_finished, owner=OWNER)
        line.dispatcher.subscribe(TradeData, self._on_trade, owner=OWNER)

    def differences(self, deadline_s: float) -> dict[str, tuple[Difference, ...]]:
        """Return what differs, by account; nothing does where an adapter gives prices only, for there is no account to ask.

        An order that still rests may trade between question and answer. So an account that differs is asked once more; a fill
        that differed at first is forgiven only if it has come as an event since.

        Blocks: for two rounds, each one and a half times `deadline_s` at most.
        """
        first = dict.fromkeys(self._line.adapters, ()) | self._ask(accounts_that_trade(self._line.adapters), deadline_s)
        again = tuple(name for name, found in first.items() if found)
        if not again or not self._questions.ask(lambda: self._line.desk.open_count, deadline_s):
            return first
        second = self._ask(again, deadline_s)
        seen = self._questions.ask(lambda: frozenset(self._fills_heard), deadline_s)
        for name in again:
            lost = tuple(item for item in first[name] if item.kind == "fill" and item.subject not in seen)
            first[name] = (*lost, *second.get(name, first[name]))
        return first

    def _ask(self, accounts: tuple[str, ...], deadline_s: float) -> dict[str, tuple[Difference, ...]]:
        self._round = asked = _Round(accounts)
        self._events.put(AuditAccounts(accounts, int(deadline_s * 1e9)))
        asked.done.wait(deadline_s * 1.5)
        return {account: asked.differences(account) for account in accounts}

    def _on_audit_accounts(self, command: AuditAccounts) -> None:
        for account in command.accounts:
            self._auditor.start(account, deadline_ns=command.deadline_ns)

    def _on_audit_finished(self, audit: AuditFinished) -> None:
        self._round.take(audit)

    def _on_trade(self, trade: TradeData) -> None:
        self._fills_heard.add(f"{trade.trade_id} of {trade.order_id} in {trade.instrument_id}")


def accounts_that_trade(adapters: Mapping[str, BaseAdapter]) -> tuple[str, ...]:
    """Return the accounts that can be compared; the others give prices only."""
    return tuple(name for name, adapter in adapters.items() if adapter.trades)


class _Round:
    """The audits of one round, as they end.

    Thread: `take`, foxtrot-engine; `done` is waited for by main.
    """

    def __init__(self, accounts: tuple[str, ...]) -> None:
        self.done = threading.Event()
        self._audits: dict[str, AuditFinished] = {}
        self._accounts = set(accounts)
        if not accounts:
            self.done.set()

    def take(self, audit: AuditFinished) -> None:
        """Keep the result of one account."""
        self._audits[audit.account] = audit
        if self._audits.keys() >= self._accounts:
            self.done.set()

    def differences(self, account: str) -> tuple[Difference, ...]:
        """Return what differs in an account; an audit that did not come to an end is a difference itself."""
        audit = self._audits.get(account)
        if audit is None or audit.error:
            reason = audit.error if audit is not None else "no answer in time"
            return (Difference("audit", account, "answer", "asked", reason),)
        return audit.differences
