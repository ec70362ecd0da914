"""Trading days as Futu tells them, beside those of our own calendar."""

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, Final

from loguru import logger

from foxtrot.adapter.futu.codec import MARKETS, TRADED_IN, local_day
from foxtrot.adapter.futu.questions import Questions
from foxtrot.domain.calendar_presets import calendar_named
from foxtrot.domain.errors import AdapterError

LOOK_BACK, LOOK_AHEAD = timedelta(days=14), timedelta(days=60)
NAMED: Final = 5


class TradingDays:
    """Asks for trading days and compares them with ours.

    Thread: futu-io.
    """

    def __init__(self, questions: Questions) -> None:
        self._questions = questions

    async def between(self, market: str, first: date, last: date) -> tuple[date, ...]:
        """Return the trading days of a market, such as "HK", both ends included.

        Source: Qot_RequestTradeDate.proto: weekends and holidays are left out, sudden closures are not.

        Raises:
            AdapterError: OpenD did not answer.
        """
        rows = await self._questions.trading_days(TRADED_IN[market], (first, last))
        return days_of(rows)

    async def compare(self, market: str, now_ns: int) -> tuple[date, ...]:
        """Return the days near now on which Futu and our calendar do not agree, and warn of them.

        A difference costs alarms of silence or bars at the wrong time, not the link; so does an answer that fails.
        """
        facts = MARKETS[market]
        today = local_day(now_ns, facts.zone)
        first, last = today - LOOK_BACK, today + LOOK_AHEAD
        try:
            theirs = set(await self.between(market, first, last))
        except AdapterError as error:
            logger.warning("trading days of {} could not be had: {}", market, error)
            return ()
        calendar = calendar_named(facts.calendar)
        all_days = [first + timedelta(days=number) for number in range((last - first).days + 1)]
        ours = {day for day in all_days if calendar.sessions_on(day)}
        differing = tuple(sorted(ours ^ theirs))
        if differing:
            names = ", ".join(str(day) for day in differing[:NAMED])
            logger.warning("calendar {} and Futu differ on {} days: {}", facts.calendar, len(differing), names)
        return differing


def days_of(rows: Iterable[Any]) -> tuple[date, ...]:
    """Return the days of an answer, each once, in order.

    Source: Qot_RequestTradeDate.proto, TradeDate.time.
    """
    return tuple(sorted({date.fromisoformat(row.time[:10]) for row in rows}))
