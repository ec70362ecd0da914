"""The wanted bars of one account: their streams, and the requests that bring what no stream did."""

import asyncio
from collections.abc import Iterable, Mapping
from functools import partial
from typing import Any, Protocol

import msgspec
from loguru import logger

from foxtrot.adapter.binance.bar_stream import BarPublisher, BarStream
from foxtrot.adapter.binance.exact import bad
from foxtrot.adapter.binance.frames import KlineFrame
from foxtrot.adapter.binance.history_codec import bar_data, interval_name, server_time_ns
from foxtrot.adapter.binance.rest_polling import PREFIX
from foxtrot.adapter.binance.session import BinanceSession
from foxtrot.adapter.binance.stream_board import StreamBoard
from foxtrot.adapter.binance.topics import Topic
from foxtrot.adapter.health import AdapterHealth
from foxtrot.domain.enums import Product
from foxtrot.domain.errors import AdapterError, ConfigError, FoxtrotError
from foxtrot.domain.interval import Interval
from foxtrot.domain.market import BarData
from foxtrot.domain.subscription import SubscribeRequest

BEAT_S = 1.0
PAUSE_S, LONGEST_PAUSE_S = 1.0, 30.0
"""Between two requests of which the first failed."""
SETTLED_NS = 1_000_000_000
"""How long after its close a bar that is asked for is sure to be final."""
PAGE = 1000
"""The limit of both products.

Source: Binance spot API, rest-api, Kline/Candlestick data; USDⓈ-M Futures, Kline/Candlestick Data (1500).
"""


class Publisher(BarPublisher, Protocol):
    """The adapter's way up.

    Thread: binance-io.
    """

    def on_request_failed(self, what: str, error: FoxtrotError | str) -> None:
        """Publish a failure."""


class LiveBars:
    """The bar streams of one account; where each has got to survives a lost link.

    Thread: binance-io.

    Args:
        publisher: takes bars and failures.
        session: who asks.
        board: gives the streams their pushes.
        health: counts what streams bring.
    """

    def __init__(
        self, publisher: Publisher, session: BinanceSession, board: StreamBoard, health: AdapterHealth
    ) -> None:
        self._publisher = publisher
        self._session = session
        self._board = board
        self._streams = board.bars
        self._health = health
        self._prefix = PREFIX[session.product]
        self._lives = 0
        self._life = 0

    @property
    def asking(self) -> bool:
        """Tell whether bars that no stream has brought are being asked for."""
        return any(stream.asking for stream in self._streams.values())

    # --- what is wanted ---------------------------------------------------------------------------------------------

    def known(self, request: SubscribeRequest) -> SubscribeRequest:
        """Return a request without the intervals that Binance has no bars of, after saying so."""
        kept = []
        for text in request.bars:
            try:
                self._name(text)
            except ConfigError as error:
                self._publisher.on_request_failed(f"subscribe {request.instrument_id} {text}", error)
            else:
                kept.append(text)
        return msgspec.structs.replace(request, bars=tuple(kept))

    def open(self, request: SubscribeRequest, symbol: str) -> list[str]:
        """Begin the bars of a request; returns Binance's names of the intervals, each once."""
        names = []
        for text in request.bars:
            name = self._name(text)
            stream = self._streams.get((symbol, name))
            if stream is None:
                stream = BarStream(request.instrument_id, Interval.parse(name), self._publisher, self._find_missing)
                self._streams[symbol, name] = stream
                if self._life:
                    stream.begin(self._session.clock.now_ns())
            if text not in stream.texts:
                stream.texts.append(text)
            names.append(name)
        return list(dict.fromkeys(names))

    def remove(self, instrument_id: str) -> None:
        """Tell no more bars of an instrument."""
        for key, stream in list(self._streams.items()):
            if stream.instrument_id == instrument_id:
                del self._streams[key]
                stream.texts.clear()
                if stream.health is not None:
                    stream.health.down()

    # --- the life of the streams ------------------------------------------------------------------------------------

    async def resume(self) -> None:
        """Begin anew, and return when the bars that closed meanwhile are told or were asked for in vain."""
        self._lives += 1
        life = self._life = self._lives
        now_ns = self._session.clock.now_ns()
        missing = []
        for stream in self._streams.values():
            stream.begin(now_ns)
            stream.asking = now_ns >= stream.expected_ns + stream.interval.duration_ns
            missing += [stream] if stream.asking else []
        self._session.spawn(self._beat(life), "bars beat")
        told = await asyncio.gather(*(self._ask(stream, life) for stream in missing))
        for stream, done in zip(missing, told, strict=True):
            stream.asking = False
            if not done and life == self._life:
                self._find_missing(stream)

    def stop(self) -> None:
        """Tell nothing more until it is resumed."""
        self._life = 0
        for stream in self._streams.values():
            stream.asking = stream.is_up = False

    def hear(self, message: Mapping[str, Any]) -> None:
        """Take a push as ccxt has parsed it; everything else is left alone.

        Source: Binance spot API, web-socket-streams, Kline/Candlestick Streams.
        """
        if message.get("e") != "kline":
            return
        try:
            frame = msgspec.convert(message, KlineFrame, strict=False)
        except msgspec.MsgspecError as error:
            self._board.bad_frames += 1
            logger.warning("market frame cannot be read: {}: {!r:.200}", error, message)
        else:
            self._board.kline(frame)
            self._board.end_batch()

    def on_up(self, topic: Topic) -> None:
        """Hear that pushes come."""
        for stream in self._of(topic):
            stream.is_up = True
            stream.health = self._health.stream(f"bars {topic.detail} {topic.instrument_id}")
            stream.health.up(self._session.clock.monotonic_ns())

    def on_down(self, topic: Topic) -> None:
        """Hear that pushes do not come."""
        for stream in self._of(topic):
            stream.is_up = False
            if stream.health is not None:
                stream.health.down()

    # --- what no stream has brought ---------------------------------------------------------------------------------

    async def _beat(self, life: int) -> None:
        while life == self._life:
            await self._session.wait_s(BEAT_S)
            now_ns = self._session.clock.now_ns()
            for stream in self._streams.values() if life == self._life else ():
                if now_ns >= stream.due_ns:
                    self._find_missing(stream)

    def _find_missing(self, stream: BarStream) -> None:
        if self._life and not stream.asking:
            stream.asking = True
            if stream.health is not None:
                stream.health.fell_back()
            name = f"bars {stream.interval.text} of {stream.instrument_id}"
            self._session.spawn(self._ask_until_told(stream, self._life), name)

    async def _ask_until_told(self, stream: BarStream, life: int) -> None:
        attempt = 0
        try:
            while self._wants(stream, life) and not await self._ask(stream, life):
                attempt += 1
                await self._session.wait_s(min(PAUSE_S * attempt, LONGEST_PAUSE_S))
        finally:
            if life == self._life:
                stream.asking = False

    async def _ask(self, stream: BarStream, life: int) -> bool:
        """Ask once; False when it failed."""
        try:
            symbol = self._session.market_symbol(stream.instrument_id)
            until_ns = server_time_ns(await self._session.request(f"{self._prefix}Time", {})) - SETTLED_NS
            found = await self._closed_bars(stream, symbol, until_ns)
        except AdapterError as error:
            text = f"bars {stream.interval.text} of {stream.instrument_id} could not be had: {error}"
            logger.bind(account=self._session.account).warning("{}", text)
            return False
        if self._wants(stream, life):
            stream.fill(found, until_ns, self._session.clock.now_ns())
        return True

    async def _closed_bars(self, stream: BarStream, symbol: str, until_ns: int) -> list[BarData]:
        """Return the bars from the expected one on that had closed at a moment.

        Source: Binance spot API, rest-api, Kline/Candlestick data; USDⓈ-M Futures, Kline/Candlestick Data.
        """
        found: list[BarData] = []
        start_ms, last_ms = stream.expected_ns // 1_000_000, (until_ns - stream.interval.duration_ns) // 1_000_000
        read = partial(bar_data, instrument_id=stream.instrument_id, interval=stream.interval)
        while start_ms <= last_ms:
            params = {"symbol": symbol, "interval": stream.interval.text, "limit": str(PAGE)}
            params |= {"startTime": str(start_ms), "endTime": str(last_ms)}
            rows = await self._session.request(f"{self._prefix}Klines", params)
            if not isinstance(rows, list):
                raise bad("klines", f"a list was asked for, not {type(rows).__name__}")
            now_ns = self._session.clock.now_ns()
            bars = [read(row, local_time_ns=now_ns) for row in rows]
            found += [bar for bar in bars if bar.close_time_ns <= until_ns]
            if len(bars) < PAGE:
                break
            start_ms = bars[-1].open_time_ns // 1_000_000 + 1
        return found

    def _wants(self, stream: BarStream, life: int) -> bool:
        return life == self._life and bool(stream.texts)

    def _name(self, text: str) -> str:
        return interval_name(Interval.parse(text), spot=self._session.product is Product.SPOT)

    def _of(self, topic: Topic) -> Iterable[BarStream]:
        return [
            one
            for one in self._streams.values()
            if one.instrument_id == topic.instrument_id and one.interval.text == topic.detail
        ]
