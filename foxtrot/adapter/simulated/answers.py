"""What the simulated venue answers when an account asks: balances, positions, orders, fills, bars and books."""

from operator import index

import msgspec

from foxtrot.adapter.base_adapter import BaseAdapter
from foxtrot.adapter.simulated import codec
from foxtrot.adapter.simulated.session import SimulatedSession
from foxtrot.core.notices import BookLoaded, HistoryLoaded, OpenOrdersLoaded, PositionsLoaded, TradesLoaded
from foxtrot.domain.errors import ConfigError, FoxtrotError
from foxtrot.domain.interval import Interval
from foxtrot.domain.market import BarData
from foxtrot.domain.subscription import HistoryRequest
from foxtrot.exchange.tape import MINUTE_NS

ALL_CANDLES = 1 << 31
BAD_REQUEST = (FoxtrotError, TypeError, ValueError, LookupError, ArithmeticError)
"""What a question that makes no sense may raise; it is answered as an error, since the venue's thread serves others too."""


class AccountAnswers:
    """Reads the venue for one account and publishes what it says, after the session's latency where there is one.

    Thread: the session's.
    """

    def __init__(self, adapter: BaseAdapter, session: SimulatedSession) -> None:
        self._adapter = adapter
        self._session = session
        self._account = adapter.account

    def tell_account(self) -> None:
        """Publish balances."""
        balances = self._session.venue.balances(self._account)
        data = codec.account_data(self._account, balances, self._adapter.clock.now_ns())
        self._session.answer(lambda: self._adapter.on_account(data))

    def tell_positions(self) -> None:
        """Publish all positions; what is owned of a pair of currencies is told as balances."""
        now_ns, session = self._adapter.clock.now_ns(), self._session
        held = ((row, session.instrument(row.instrument_id)) for row in session.venue.positions(self._account))
        rows = tuple(
            codec.listed_position(row, instrument, now_ns)
            for row, instrument in held
            if not instrument.product.is_balance
        )
        loaded = PositionsLoaded(self._account, rows, now_ns)
        session.answer(lambda: self._adapter.on_positions(loaded))

    def tell_orders(self) -> None:
        """Publish all open orders."""
        now_ns, session = self._adapter.clock.now_ns(), self._session
        rows = tuple(
            codec.listed_order(order, session.instrument(order.instrument_id), now_ns)
            for order in session.venue.open_orders(self._account)
        )
        loaded = OpenOrdersLoaded(self._account, rows, now_ns)
        session.answer(lambda: self._adapter.on_open_orders(loaded))

    def tell_order(self, order_id: str, instrument_id: str) -> None:
        """Publish one order, open or ended, or that the venue has none of its id; nothing can be on its way, so there is no bound."""
        session, listed = self._session, self._session.find_instrument(instrument_id)
        number = order_id.removeprefix("venue")
        which = (
            {"order_id": int(number)} if number != order_id and number.isdecimal() else {"client_order_id": order_id}
        )
        known = session.venue.order(self._account, instrument_id, **which) if listed is not None else None
        if known is None or listed is None:
            session.answer(lambda: self._adapter.on_order_missing(order_id, instrument_id))
            return
        told = codec.listed_order(known, listed, self._adapter.clock.now_ns())
        told = msgspec.structs.replace(told, status=known.status, reason=known.reason)
        session.answer(lambda: self._adapter.on_order(told))

    def tell_trades(self, since_ns: int) -> int:
        """Publish our fills since a time, inclusive; returns the time of the last one, or `since_ns` without any."""
        now_ns, session = self._adapter.clock.now_ns(), self._session
        fills = [fill for fill in session.venue.fills(self._account) if fill.time_ns >= since_ns]
        rows = tuple(codec.trade_data(fill, session.instrument(fill.instrument_id), now_ns) for fill in fills)
        loaded = TradesLoaded(self._account, rows, now_ns, since_ns)
        session.answer(lambda: self._adapter.on_trades(loaded))
        return fills[-1].time_ns if fills else since_ns

    def tell_history(self, request: HistoryRequest) -> None:
        """Publish closed bars, or why there are none."""
        try:
            bars, error = self._closed_bars(request), ""
        except BAD_REQUEST as refusal:
            bars, error = (), str(refusal) or type(refusal).__name__
        loaded = HistoryLoaded(request.request_id, request.instrument_id, request.interval, bars, error)
        self._session.answer(lambda: self._adapter.on_history(loaded))

    def tell_book(self, request_id: str, instrument_id: str, levels: int) -> None:
        """Publish the best levels, or why there are none."""
        session, now_ns = self._session, self._adapter.clock.now_ns()
        try:
            instrument = session.instrument(instrument_id)
            rows = session.venue.depth(instrument_id, levels)
        except BAD_REQUEST as refusal:
            error = str(refusal) or type(refusal).__name__
            loaded = BookLoaded(request_id, instrument_id, None, "none", 0.0, error)
        else:
            loaded = BookLoaded(request_id, instrument_id, codec.depth_data(rows, instrument, now_ns), "rest", 0.0)
        session.answer(lambda: self._adapter.on_book(loaded))

    def _closed_bars(self, request: HistoryRequest) -> tuple[BarData, ...]:
        """Return the last bars that had closed at the asked end and are closed by the venue's clock.

        Raises:
            ConfigError: the interval, the count or the instrument cannot be had.
        """
        interval = Interval.parse(request.interval)
        length_ns = interval.duration_ns
        if length_ns % MINUTE_NS or request.count <= 0 or request.count != index(request.count):
            raise ConfigError(f"{request.count} bars of {request.interval}: ask for one or more of whole minutes")
        session, now_ns = self._session, self._adapter.clock.now_ns()
        instrument = session.instrument(request.instrument_id)
        candles = session.venue.klines(request.instrument_id, length_ns, ALL_CANDLES)
        end_ns = min(request.end_ns, session.venue.time_ns)
        closed = [candle for candle in candles if candle.open_time_ns + length_ns <= end_ns][-request.count :]
        return tuple(codec.bar_data(candle, instrument, interval, now_ns) for candle in closed)
