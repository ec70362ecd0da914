"""What keeps market data going by the clock: books that are whole, bars at their close, a look at silent streams."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from loguru import logger

from foxtrot.adapter.ib.entry import Entry
from foxtrot.adapter.ib.live_bars import LiveBars
from foxtrot.adapter.ib.streams import Streams
from foxtrot.domain.errors import AdapterError

if TYPE_CHECKING:
    from foxtrot.adapter.ib.session import IbSession

BEAT_S: Final = 0.05
LOOK_S: Final = 1.0
"""How often silence is counted."""
LEAST_S, MOST_S = 60.0, 900.0
"""How long a silent stream is left alone after it was renewed, at first and at most: it doubles while the market stays quiet."""


class Upkeep:
    """The beat of one account's market data; it lasts as long as the link.

    Thread: ib-io.
    """

    def __init__(self, session: "IbSession", entries: Mapping[str, Entry], streams: Streams, bars: LiveBars) -> None:
        self._session = session
        self._entries = entries
        self._streams = streams
        self._bars = bars
        self._life = self._lives = 0
        self._patience: dict[str, tuple[float, int, int]] = {}  # how long, until when, and how many messages there were

    def begin(self) -> None:
        """Begin to beat over a new link."""
        self._lives += 1
        self._life = self._lives
        self._session.spawn(self._beat(self._life), "market data beat")

    def end(self) -> None:
        """Beat no more."""
        self._life = 0

    async def _beat(self, life: int) -> None:
        clock = self._session.clock
        looked_ns = clock.monotonic_ns()
        while life == self._life:
            await self._session.wait_s(BEAT_S)
            if life != self._life:
                return
            self._look_at_books()
            self._bars.beat()
            now_ns = clock.monotonic_ns()
            if now_ns - looked_ns >= LOOK_S * 1e9:
                elapsed_s, looked_ns = (now_ns - looked_ns) / 1e9, now_ns
                self._look_at_silence(elapsed_s, now_ns)
                self._look_at_refused(now_ns)

    def _look_at_books(self) -> None:
        now_ns = self._session.clock.now_ns()
        for entry in tuple(self._entries.values()):
            with entry.lock:
                entry.book.beat(now_ns)

    def _look_at_silence(self, elapsed_s: float, now_ns: int) -> None:
        """Renew a stream that is silent for longer than it ever was while its market is open: a subscription begins with what is."""
        stale = {one.name: one for one in self._session.health.beat(self._session.clock.now_ns(), elapsed_s)}
        for entry in tuple(self._entries.values()):
            for health in (entry.book.health, entry.ticks.health):
                if health is None or health.name not in stale:
                    continue
                if self._is_due(health.name, health.messages, now_ns):
                    logger.bind(account=self._session.account).info("{} is silent: it is subscribed anew", health.name)
                    self._session.run(self._renew(entry), f"renewal of {health.name}")
                    break

    def _look_at_refused(self, now_ns: int) -> None:
        """Ask again for depth that IB did not give, soon and then ever more rarely."""
        for entry in tuple(self._entries.values()):
            name = f"refused depth of {entry.instrument_id}"
            if not entry.book.is_top:
                self._patience.pop(name, None)
            elif self._is_due(name, 0, now_ns):
                self._session.run(self._try_depth(entry), name)

    async def _try_depth(self, entry: Entry) -> None:
        try:
            await self._streams.try_depth(entry)
        except AdapterError as error:
            logger.bind(account=self._session.account).debug("{} waits: {}", entry.instrument_id, error)

    def _is_due(self, name: str, messages: int, now_ns: int) -> bool:
        """Tell whether a silent stream is to be renewed now, and note it."""
        patience_s, until_ns, before = self._patience.get(name, (LEAST_S / 2, 0, -1))
        if now_ns < until_ns:
            return False
        lively = before >= 0 and messages - before > 50
        patience_s = LEAST_S if lively else min(MOST_S, patience_s * 2)
        self._patience[name] = patience_s, now_ns + int(patience_s * 1e9), messages
        return True

    async def _renew(self, entry: Entry) -> None:
        try:
            await self._streams.renew(entry)
        except AdapterError as error:
            logger.bind(account=self._session.account).debug(
                "{} waits for the next link: {}", entry.instrument_id, error
            )
