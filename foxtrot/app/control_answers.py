"""What is asked over the control port, answered on the engine's thread, and what is put there after a check."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from difflib import get_close_matches
from itertools import islice
from typing import NamedTuple, TypeVar, cast

import msgspec

from foxtrot.app.control_notices import ControlNotices
from foxtrot.app.control_requests import (
    Blocks,
    Cancel,
    Filter,
    ListBlocks,
    ListOrders,
    ListPositions,
    ListStrategies,
    ListTrades,
    OrderRow,
    Orders,
    Positions,
    Reconcile,
    Request,
    Resolve,
    Resume,
    Settle,
    SetValues,
    Step,
    Strategies,
    Taken,
    Trades,
)
from foxtrot.app.control_roll import RollAnswers
from foxtrot.app.control_roll_requests import BeginRoll, FollowRoll, PlanRoll
from foxtrot.app.control_rows import ControlRows
from foxtrot.core.commands import (
    CancelOrder,
    ReconcileNow,
    ReloadStrategy,
    ResolveOrder,
    ResumeTrading,
    SetParameters,
    SettleDifference,
    StartStrategy,
    StopStrategy,
)
from foxtrot.domain.account import EXTERNAL
from foxtrot.domain.enums import OrderStatus
from foxtrot.domain.errors import ConfigError, FoxtrotError
from foxtrot.storage.journal_records import SettingChanged
from foxtrot.strategy.host import Stage, StrategyHost
from foxtrot.strategy.line import Line
from foxtrot.strategy.parameters import Parameter, declared, parameters_of
from foxtrot.trading.order_record import OrderRecord

R = TypeVar("R", bound=Request)
MOST_LOOKED = 100_000
"""Orders among which those that fit are looked for, the newest first, for the engine waits that long."""
MOST_KNOWN = 5_000
"""Names among which the nearest is looked for."""


class UnknownName(FoxtrotError):
    """Something was named that there is not; `known` are the names that there are, of which the nearest is told elsewhere."""

    def __init__(self, what: str, word: str, known: Iterable[str]) -> None:
        super().__init__(f"there is no {what} {word}")
        self.what = what
        self.word = word
        self.known = tuple(dict.fromkeys(known))

    def with_nearest(self) -> str:
        """Return what there is not, and the nearest names that there are, else all of a few.

        Thread: not foxtrot-engine, for it takes a while among thousands.
        """
        known = self.known[:MOST_KNOWN]
        close = get_close_matches(self.word, known, n=3, cutoff=0.5)
        if close:
            return f"{self}; did you mean {' or '.join(close)}?"
        if not known:
            return f"{self}; there is none"
        more = f" and {len(self.known) - 10:,} more" if len(self.known) > 10 else ""
        return f"{self}; there are: {', '.join(known[:10])}{more}"


class Wish(NamedTuple):
    """A command whose request has passed its check, to be put by the thread that asked, and the answer to that.

    A question changes nothing: what does enters the engine as a command, from outside, where the tape hears it.
    """

    command: object
    taken: Taken


class ControlAnswers:
    """Answers questions, and makes commands of wishes that pass a check.

    Thread: foxtrot-engine.
    """

    def __init__(self, line: Line, notices: ControlNotices) -> None:
        self._line = line
        self._notices = notices
        self.rows = ControlRows(line, notices)
        self._rolls = RollAnswers(line)
        self._methods: Mapping[type[Request], Callable[[Request], msgspec.Struct | Wish]] = dict(
            (
                _row(ListOrders, self._orders), _row(ListPositions, self._positions), _row(ListTrades, self._trades),
                _row(ListStrategies, self._strategies), _row(ListBlocks, self._blocks), _row(Resume, self._resume),
                _row(Resolve, self._resolve), _row(Settle, self._settle), _row(Step, self._step), _row(SetValues, self._set),
                _row(Reconcile, self._reconcile), _row(Cancel, self._cancel), _row(BeginRoll, self._roll),
                _row(PlanRoll, self._rolls.plan), _row(FollowRoll, self._rolls.follow),
            )
        )  # fmt: skip

    def answer(self, request: Request) -> msgspec.Struct | Wish:
        """Answer a question, or check a wish and make its command.

        Raises:
            UnknownName: it names something that there is not.
            ConfigError: it cannot be done, and why.
        """
        return self._methods[type(request)](request)

    # --- questions --------------------------------------------------------------------------------------------------

    def _orders(self, request: ListOrders) -> Orders:
        if request.order:
            return Orders((self._one(request.order),))
        fits = self._fitting(request)
        index = self._line.desk.index
        newest = reversed((index.all if request.every else index.open).values())
        found = (self.rows.order(record) for record in islice(newest, MOST_LOOKED) if fits(*_whose(record)))
        rows = list(islice(found, request.limit + 1))[::-1]
        if request.every:
            denied = reversed(self._line.desk.denied.values())
            refused = (o for o in islice(denied, MOST_LOOKED) if fits(o.strategy_id, o.account, o.instrument_id))
            rows += [self.rows.denied(order) for order in islice(refused, request.limit + 1)]
        rows.sort(key=lambda row: row.created_ns)
        return Orders(tuple(rows[-request.limit :]), len(rows) > request.limit)

    def _one(self, order_id: str) -> OrderRow:
        denied = self._line.desk.denied.get(order_id)
        return self.rows.order(self._record(order_id)) if denied is None else self.rows.denied(denied)

    def _positions(self, request: ListPositions) -> Positions:
        fits = self._fitting(request)
        held = (row for row in self.rows.positions() if fits(row.owner, row.account, row.instrument_id))
        net = (row for row in self.rows.net() if fits(request.strategy, row.account, row.instrument_id))
        return Positions(tuple(held), tuple(net))

    def _trades(self, request: ListTrades) -> Trades:
        fits = self._fitting(request)
        newest = islice(reversed(self._line.desk.index.all.values()), MOST_LOOKED)
        found = (row for record in newest if record.fills and fits(*_whose(record)) for row in self.rows.trades(record))
        rows = sorted(islice(found, request.limit + 1), key=lambda row: (row.time_ns, row.trade_id))
        return Trades(tuple(rows[-request.limit :]), len(rows) > request.limit)

    def _strategies(self, _: ListStrategies) -> Strategies:
        return Strategies(tuple(self.rows.strategy(host) for host in self._line.strategies.hosts.values()))

    def _blocks(self, _: ListBlocks) -> Blocks:
        gate, unknown = self._line.gate, [r for r in self._line.desk.open_records() if r.status is OrderStatus.UNKNOWN]
        return Blocks(
            str(gate.state), gate.reason, tuple(self.rows.blocks()), tuple(self.rows.differences()), tuple(self.rows.accounts()),
            tuple(self.rows.order(record) for record in unknown), self._notices.refused.number, self._notices.refused.text,
        )  # fmt: skip

    # --- wishes -----------------------------------------------------------------------------------------------------

    def _resume(self, request: Resume) -> Wish:
        instrument_id = request.instrument and self._instrument(request.instrument)
        if request.account:
            self._check_account(request.account)
        if request.strategy:
            self._host(request.strategy)
        return Wish(
            ResumeTrading(request.who, request.why, request.account, instrument_id, request.strategy), self._taken()
        )

    def _resolve(self, request: Resolve) -> Wish:
        record = self._record(request.order_id)
        if record.status is not OrderStatus.UNKNOWN:
            raise ConfigError(
                f"order {request.order_id} is {record.status}: only an order of unknown outcome is resolved by a person"
            )
        return Wish(
            ResolveOrder(record.key, request.status, request.who, request.why),
            self._taken(was=str(record.status), subject=record.key),
        )

    def _settle(self, request: Settle) -> Wish:
        standing = {row.difference_id: row for row in self.rows.differences()}
        found = standing.get(request.difference_id)
        if found is None:
            raise UnknownName("open difference", request.difference_id, standing)
        if request.owner != EXTERNAL:
            self._host(request.owner)
        return Wish(
            SettleDifference(request.difference_id, request.decision, request.who, request.why, request.owner),
            self._taken(was=f"{found.subject}: ours {found.ours}, venue {found.venue}"),
        )

    def _step(self, request: Step) -> Wish:
        host = self._host(request.strategy_id)
        if request.step == "reload":
            self._check_at_rest(host, "its code is reloaded")
        before = self._notices.said(host.strategy_id).number
        command = {"start": StartStrategy, "stop": StopStrategy, "reload": ReloadStrategy}[request.step]
        self._note("strategy", host.strategy_id, str(host.stage), request.step, request)
        return Wish(command(host.strategy_id), self._taken(before, str(host.stage)))

    def _set(self, request: SetValues) -> Wish:
        host = self._host(request.strategy_id)
        self._check_at_rest(host, "parameters are set")
        known = declared(type(host.strategy), Parameter)
        for name, value in request.values.items():
            if name not in known:
                raise UnknownName(f"parameter of {host.strategy_id}", name, known)
            known[name].check(value)
        before = parameters_of(host.strategy)
        for name, value in request.values.items():
            self._note(f"strategy.{host.strategy_id}", name, str(before[name]), str(value), request)
        said = self._notices.said(host.strategy_id).number
        return Wish(SetParameters(host.strategy_id, tuple(request.values.items())), self._taken(said, str(host.stage)))

    def _reconcile(self, request: Reconcile) -> Wish:
        if request.account:
            self._check_account(request.account)
        return Wish(ReconcileNow(request.account, f"asked for by {request.who}"), self._taken())

    def _roll(self, request: BeginRoll) -> Wish:
        if request.account:
            self._check_account(request.account)
        command, roll_id = self._rolls.begin(request)
        self._note("roll", f"{request.old} into {request.new}", "", "forget" if request.forget else "begin", request)
        return Wish(command, self._taken(subject=roll_id))

    def _cancel(self, request: Cancel) -> Wish:
        record = self._record(request.order_id)
        if not record.is_open:
            raise ConfigError(f"order {request.order_id} is {record.status}: there is nothing to cancel")
        self._note("order", request.order_id, str(record.status), "cancel", request)
        return Wish(CancelOrder(record.key), self._taken(was=str(record.status), subject=record.key))

    # --- checks -----------------------------------------------------------------------------------------------------

    def _fitting(self, wish: Filter) -> Callable[[str, str, str], bool]:
        if wish.account:
            self._check_account(wish.account)
        owners = {EXTERNAL, *self._line.strategies.hosts, *self._line.portfolio.owners()}
        if wish.strategy and wish.strategy not in owners | {record.owner for record in self._line.desk.open_records()}:
            raise UnknownName("strategy", wish.strategy, sorted(owners))
        named = self._instruments(wish.instrument) if wish.instrument else frozenset()

        def fits(owner: str, account: str, instrument_id: str) -> bool:
            of_instrument = not named or instrument_id in named
            return wish.strategy in ("", owner) and wish.account in ("", account) and of_instrument

        return fits

    def _instruments(self, name: str) -> frozenset[str]:
        """Return the ids that a name means: itself, or those of a symbol that several venues may have."""
        table = self._line.instruments
        found = {one.instrument_id for one in table.all() if name in (one.instrument_id, one.symbol)}
        if not found:
            raise UnknownName("instrument", name, _names(table.all()))
        return frozenset(found)

    def _instrument(self, name: str) -> str:
        found = sorted(self._instruments(name))
        if len(found) > 1:
            raise ConfigError(f"{name} fits several instruments: {', '.join(found)}; name one of them")
        return found[0]

    def _check_account(self, name: str) -> None:
        line = self._line
        if name not in line.adapters:
            seen = {record.terms.account for record in line.desk.open_records()} | {
                key[0] for key, _ in line.portfolio.net_positions()
            }
            if line.adapters or name not in seen:  # a journal's state has no adapters
                raise UnknownName("account", name, line.adapters or sorted(seen))

    def _host(self, strategy_id: str) -> StrategyHost:
        host = self._line.strategies.hosts.get(strategy_id)
        if host is None:
            raise UnknownName("strategy", strategy_id, self._line.strategies.hosts)
        return host

    def _check_at_rest(self, host: StrategyHost, what: str) -> None:
        if host.stage not in (Stage.LOADED, Stage.STOPPED, Stage.FAILED):
            raise ConfigError(f"strategy {host.strategy_id} is {host.stage}: {what} while it is stopped; stop it first")

    def _record(self, order_id: str) -> OrderRecord:
        """Return the record of an order by its id, or, as long as it is open, by the venue's."""
        index = self._line.desk.index
        found = index.all.get(order_id) or next((r for r in index.open.values() if order_id == r.venue_order_id), None)
        if found is None:
            newest = [
                record for held in (index.open, index.all) for record in islice(reversed(held.values()), MOST_KNOWN)
            ]
            raise UnknownName("order", order_id, (record.terms.order_id for record in newest))
        return found

    def _taken(self, before: int = 0, was: str = "", subject: str = "") -> Taken:
        return Taken(before, self._notices.refused.number, self._notices.runs(), was, subject)

    def _note(
        self, scope: str, name: str, before: str, after: str, request: Step | SetValues | Cancel | BeginRoll
    ) -> None:
        """Keep in the journal who changed what; `why` stands behind what it was changed to."""
        notes = self._line.notes
        if notes.keeps_reports:
            why = "" if isinstance(request, Cancel) or not request.why else f" ({request.why})"
            now_ns = self._line.dispatcher.clock.now_ns()
            notes.append(SettingChanged(now_ns, scope, name, before, f"{after}{why}", request.who))


def _row(
    kind: type[R], method: Callable[[R], msgspec.Struct | Wish]
) -> tuple[type[Request], Callable[[Request], msgspec.Struct | Wish]]:
    """Return a row of the table; a method is only ever called with its own kind of request."""
    return kind, cast(Callable[[Request], msgspec.Struct | Wish], method)


def _whose(record: OrderRecord) -> tuple[str, str, str]:
    return record.owner, record.terms.account, record.terms.instrument_id


def _names(instruments: Iterable[object]) -> Iterator[str]:
    for one in instruments:
        yield from (str(getattr(one, "instrument_id", "")), str(getattr(one, "symbol", "")))
