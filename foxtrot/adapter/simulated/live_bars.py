"""The bars one simulated account streams: closed candles of the venue's tape, each told once, at its close."""

from typing import Protocol

import msgspec

from foxtrot.adapter.simulated import codec
from foxtrot.adapter.simulated.session import SimulatedSession
from foxtrot.core.clock import Clock
from foxtrot.domain.errors import ConfigError, FoxtrotError
from foxtrot.domain.interval import Interval
from foxtrot.domain.market import BarData
from foxtrot.domain.subscription import SubscribeRequest
from foxtrot.exchange.tape import MINUTE_NS

LATE_NS = 10_000_000_000
"""A bar that is told so long after its close was missed then, and tells the past."""
ALL_CANDLES = 1 << 31


class BarPublisher(Protocol):
    """The adapter's way up.

    Thread: the session's.
    """

    clock: Clock

    def on_bar(self, bar: BarData) -> None:
        """Publish a closed bar."""

    def on_request_failed(self, what: str, error: FoxtrotError | str) -> None:
        """Publish a failure."""


class LiveBars:
    """The wanted bars of one account, and up to where each kind was told; both survive a lost link.

    Thread: the session's.
    """

    def __init__(self, publisher: BarPublisher, session: SimulatedSession) -> None:
        self._publisher = publisher
        self._session = session
        self._next_open_ns: dict[tuple[str, str], int] = {}

    def known(self, request: SubscribeRequest) -> SubscribeRequest:
        """Return a request without the intervals that there are no bars of, after saying so."""
        kept = []
        for text in request.bars:
            try:
                _length_ns(text)
            except ConfigError as error:
                self._publisher.on_request_failed(f"subscribe {request.instrument_id} {text}", error)
            else:
                kept.append(text)
        return msgspec.structs.replace(request, bars=tuple(kept))

    def open(self, request: SubscribeRequest) -> None:
        """Begin with the bar that is open now, where bars were not told before."""
        for text in request.bars:
            length_ns, now_ns = _length_ns(text), self._publisher.clock.now_ns()
            self._next_open_ns.setdefault((request.instrument_id, text), now_ns - now_ns % length_ns)

    def remove(self, instrument_id: str) -> None:
        """Tell no more bars of an instrument."""
        for key in [key for key in self._next_open_ns if key[0] == instrument_id]:
            del self._next_open_ns[key]

    def publish(self) -> None:
        """Tell the bars that have closed since the last time, oldest first."""
        time_ns = self._session.venue.time_ns
        for (instrument_id, text), open_ns in list(self._next_open_ns.items()):
            length_ns = _length_ns(text)
            if time_ns >= open_ns + length_ns:
                self._next_open_ns[instrument_id, text] = time_ns - time_ns % length_ns
                self._tell(instrument_id, Interval.parse(text), open_ns, time_ns)

    def _tell(self, instrument_id: str, interval: Interval, from_ns: int, to_ns: int) -> None:
        length_ns, now_ns = interval.duration_ns, self._publisher.clock.now_ns()
        instrument = self._session.instrument(instrument_id)
        for candle in self._session.venue.klines(instrument_id, length_ns, ALL_CANDLES):
            close_ns = candle.open_time_ns + length_ns
            if from_ns <= candle.open_time_ns and close_ns <= to_ns:
                bar = codec.bar_data(candle, instrument, interval, now_ns)
                if now_ns - close_ns > LATE_NS:
                    bar = msgspec.structs.replace(bar, backfilled=True)
                self._publisher.on_bar(bar)


def _length_ns(text: str) -> int:
    """Return the length of an interval.

    Raises:
        ConfigError: the tape has no such bars.
    """
    interval = Interval.parse(text)
    if not interval.kind.is_time or interval.duration_ns % MINUTE_NS:
        raise ConfigError(f"the simulated venue has no bars of {text}; it has whole minutes, such as 1m, 5m, 1h or 1d")
    return interval.duration_ns
