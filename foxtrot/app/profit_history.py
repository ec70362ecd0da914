"""What was made over time and by day in this run, open profit with it."""

from decimal import Decimal
from typing import Final

from foxtrot.app.blotter_requests import DayProfit, ListPerformance, PerformanceFound, ProfitPoint, ProfitRow
from foxtrot.core.clock import Clock
from foxtrot.core.notices import TimerFired
from foxtrot.strategy.line import HOUSEKEEPING, Line
from foxtrot.trading.position import Position

MOST_POINTS: Final = 4_096
FIRST_STEP_NS: Final = 1_000_000_000
MOST_DAYS: Final = 400
OWNER: Final = "desktop"


class ProfitCurve:
    """Points of a curve at even steps; when there are too many every other one goes, and the step doubles.

    Thread: that of its maker.
    """

    def __init__(self, most: int = MOST_POINTS, step_ns: int = FIRST_STEP_NS) -> None:
        self._most = most
        self._step_ns = step_ns
        self._points: list[ProfitPoint] = []

    def note(self, time_ns: int, profit: Decimal) -> None:
        """Keep a point, unless the last is too near."""
        if self._points and time_ns - self._points[-1].time_ns < self._step_ns:
            return
        self._points.append(ProfitPoint(time_ns, profit))
        if len(self._points) > self._most:
            self._points = self._points[::2]
            self._step_ns *= 2

    def since(self, time_ns: int) -> tuple[ProfitPoint, ...]:
        """Return the points after a moment."""
        return tuple(point for point in self._points if point.time_ns > time_ns)


class ProfitHistory:
    """Notes once a second what was made in this run, whether anybody looks or not, and answers about it.

    It looks when the line keeps house, and by a clock of its own: a run is played again without it, so that it may set no timer and
    read nothing of which the tape takes note.

    Thread: foxtrot-engine; made before it starts.

    Args:
        line: whose profit.
        clock: tells the time, and is not the one that trading reads.
    """

    def __init__(self, line: Line, clock: Clock) -> None:
        self._line = line
        self._clock = clock
        self._next_ns = 0
        self._curve = ProfitCurve()
        self._at_start: dict[str, Decimal] = {}
        self._accounts_at_start: dict[str, Decimal] = {}
        self._present: frozenset[str] = frozenset()
        self._days: dict[tuple[int, str], Decimal] = {}
        self._day_ns = 0
        self.since_ns = 0
        """Since when this day's profit counts: the start of the trading day, or the first moment that was noted in it."""
        line.dispatcher.subscribe(TimerFired, self._on_timer, owner=OWNER, key=HOUSEKEEPING)

    def look(self) -> None:
        """Note what has been made by now."""
        made = [self._line.portfolio.account_profit(name) for name in self._line.adapters]
        known = [amount for amount in made if amount is not None]
        self.note(self._clock.now_ns(), sum(known, Decimal(0)) if len(known) == len(made) else None)

    def note(self, now_ns: int, profit: Decimal | None) -> None:
        """Note what all accounts have made together, and each owner and account."""
        made = {} if profit is None else {"": profit}
        made |= self._by_owner()
        day_ns = self._line.losses.day.start_of(now_ns)
        if day_ns != self._day_ns:
            self.since_ns = day_ns if self._day_ns else now_ns
            self._day_ns, self._at_start, self._accounts_at_start = day_ns, {}, {}
            self._present = frozenset({"", *(key[0] for key, _ in self._line.portfolio.positions())})
        for owner, amount in made.items():
            began = self._at_start.setdefault(owner, amount if owner in self._present else Decimal(0))
            self._days[day_ns, owner] = amount - began
        for name in self._line.adapters:
            of_account = self._line.portfolio.account_profit(name)
            if of_account is not None:
                self._accounts_at_start.setdefault(name, of_account)
        while len(self._days) > MOST_DAYS * max(1, len(made)):
            del self._days[next(iter(self._days))]
        if profit is not None:
            self._curve.note(now_ns, profit)

    def day_profit(self, account: str) -> Decimal | None:
        """Return what an account has made since `since_ns`, None while a price is missing."""
        profit, began = self._line.portfolio.account_profit(account), self._accounts_at_start.get(account)
        return None if profit is None or began is None else profit - began

    def answer(self, request: ListPerformance) -> PerformanceFound:
        """Return what was made."""
        return PerformanceFound(
            self._line.portfolio.base_currency,
            tuple(self._rows()),
            tuple(DayProfit(day_ns, owner, amount) for (day_ns, owner), amount in self._days.items()),
            self._curve.since(request.since_ns),
        )

    def _on_timer(self, fired: TimerFired) -> None:
        if fired.due_ns >= self._next_ns:
            self._next_ns = fired.due_ns + FIRST_STEP_NS
            self.look()

    def _rows(self) -> list[ProfitRow]:
        portfolio = self._line.portfolio
        return [
            ProfitRow(
                owner, account, instrument_id, str(side), float(held.exact_quantity), portfolio.profit(held), dict(held.fees),
                dict(held.funding), held.fills,
            )
            for (owner, account, instrument_id, side), held in portfolio.positions()
            if _has_traded(held)
        ]  # fmt: skip

    def _by_owner(self) -> dict[str, Decimal]:
        """Return what each owner has made; one of whose positions a price is missing is left out."""
        made: dict[str, Decimal] = {}
        unknown: set[str] = set()
        for (owner, *_), held in self._line.portfolio.positions():
            profit = self._line.portfolio.profit(held) if _has_traded(held) else Decimal(0)
            if profit is None:
                unknown.add(owner)
            else:
                made[owner] = made.get(owner, Decimal(0)) + profit
        return {owner: amount for owner, amount in made.items() if owner not in unknown}


def _has_traded(held: Position) -> bool:
    return bool(held.fills or held.funding or held.fees)
