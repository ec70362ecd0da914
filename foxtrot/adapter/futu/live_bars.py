"""The wanted bars of one account: pushes tell when to ask, and OpenD's own K-lines are told."""

import asyncio
from collections.abc import Mapping
from typing import Final

from loguru import logger

from foxtrot.adapter.futu.bar_stream import MOST, BarStream
from foxtrot.adapter.futu.codec import Kline, kline
from foxtrot.adapter.futu.entry import Entry
from foxtrot.adapter.futu.history import klines_between
from foxtrot.adapter.futu.questions import Questions
from foxtrot.adapter.futu.session import FutuSession
from foxtrot.domain.errors import AdapterError

BEAT_S: Final = 0.1


class LiveBars:
    """Asks for bars at their close.

    Thread: futu-io.

    Args:
        session: the clock and the loop.
        questions: asks OpenD.
        entries: what is wanted, by instrument.
    """

    def __init__(self, session: FutuSession, questions: Questions, entries: Mapping[str, Entry]) -> None:
        self._session = session
        self._questions = questions
        self._entries = entries

    @property
    def asking(self) -> bool:
        """Tell whether bars are being asked for."""
        return any(stream.asking for entry in self._entries.values() for stream in entry.bars.values())

    def begin(self, entry: Entry) -> None:
        """Begin with the bars that are open now, where none were told yet."""
        now_ns = self._session.clock.now_ns()
        for stream in entry.bars.values():
            if not stream.told_ns:
                stream.begin(now_ns)

    async def resume(self) -> None:
        """Go on over a new link, and return when the bars that closed meanwhile were told or asked for in vain."""
        now_ns, asked = self._session.clock.now_ns(), []
        for entry in list(self._entries.values()):
            for stream in entry.bars.values():
                is_new = not stream.told_ns
                stream.begin(now_ns)
                if not is_new:
                    stream.asking = True
                    asked.append(self._ask(entry, stream))
        await asyncio.gather(*asked)

    def take(self, entry: Entry, number: int, klines: tuple[Kline, ...]) -> None:
        """Take a push."""
        stream = entry.bars.get(number)
        if stream is None or not stream.texts:
            return
        begun = [stream.take(one) for one in klines]
        if any(begun):
            self._ask_soon(entry, stream)

    def beat(self) -> None:
        """Ask for the bars that have closed by the clock."""
        now_ns = self._session.clock.now_ns()
        for entry in list(self._entries.values()):
            for stream in entry.bars.values():
                if stream.is_due(now_ns):
                    self._ask_soon(entry, stream)

    def _ask_soon(self, entry: Entry, stream: BarStream) -> None:
        if not stream.asking and self._session.linked:
            stream.asking = True
            name = f"bars {stream.kind.interval.text} of {stream.instrument_id}"
            self._session.run(self._ask(entry, stream), name)

    async def _ask(self, entry: Entry, stream: BarStream) -> None:
        """Ask until no bar is due any more, or the answer fails."""
        try:
            found = await self._missing(entry, stream)
        except AdapterError as error:
            text = f"bars {stream.kind.interval.text} of {stream.instrument_id} could not be had: {error}"
            logger.bind(account=self._session.account).warning("{}", text)
            found = ()
        finally:
            stream.asking = False
        if stream.texts:
            stream.fill(found, self._session.clock.now_ns())

    async def _missing(self, entry: Entry, stream: BarStream) -> tuple[Kline, ...]:
        """Return what may have closed since the last bar that was told; what OpenD does not keep comes from the history."""
        count = stream.number_missing(self._session.clock.now_ns())
        rows = await self._questions.klines(entry.code, stream.kind, count)
        found = tuple(kline(row, entry.snap, entry.zone) for row in rows)
        if count < MOST or not found or found[0].stamp_ns <= stream.told_ns:
            return found
        older = await klines_between(self._questions, entry, stream.kind, (stream.told_ns, found[0].stamp_ns - 1))
        return (*older, *found)
