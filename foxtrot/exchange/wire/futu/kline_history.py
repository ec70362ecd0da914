"""K-lines of the past, page by page."""

from datetime import datetime
from typing import Any

from foxtrot.exchange.wire.futu.connection import FutuClient
from foxtrot.exchange.wire.futu.kline_series import Bar, KlineSeries
from foxtrot.exchange.wire.futu.message_types import new_answer
from foxtrot.exchange.wire.futu.quote_limits import QuoteSettings, refused
from foxtrot.exchange.wire.futu.quote_live import check_rehab, kline_kind
from foxtrot.exchange.wire.futu.quote_quota import CallPace, HistoryQuota
from foxtrot.exchange.wire.futu.quote_rows import ALL_FIELDS, add_kline, fill_security, stamp_ns
from foxtrot.exchange.wire.futu.quote_sessions import Stretches
from foxtrot.exchange.wire.futu.quote_stocks import StockTable
from foxtrot.exchange.wire.futu.quote_times import SECOND_NS, read_moment
from foxtrot.exchange.wire.futu.quote_types import KNOWN_SESSIONS, wants_extended

REQUEST_HISTORY = 3103


class KlineHistory:
    """Handler of Qot_RequestHistoryKL. Prices are as they were traded: no share here was ever split.

    Thread: exchange-io.
    """

    def __init__(self, table: StockTable, settings: QuoteSettings) -> None:
        self._table = table
        self._settings = settings
        is_strict = table.side.settings.limits
        self._quota = HistoryQuota(settings.history_quota, is_strict=is_strict)
        self._pace = CallPace("history_calls", is_strict=is_strict)

    def request(self, _client: FutuClient, c2s: Any) -> Any:
        """Return one page; there is a key for the next one only while there is more.

        Source: Qot_RequestHistoryKL.proto; Futu OpenAPI documentation, Get Historical Candlesticks.

        Raises:
            FutuRefused: unknown code, type or time, no quota left, too many calls, or a key of no page.
        """
        kind = kline_kind(c2s.klType)
        check_rehab(c2s.rehabType)
        stock = self._table.find(c2s.security)
        if stock.market not in self._settings.rights:
            raise refused("no_right", code=stock.full_code)
        if c2s.session not in KNOWN_SESSIONS:
            raise refused("bad_session", value=c2s.session)
        now_ns = self._table.side.now_ns()
        offset = _offset(c2s)
        if not offset:
            self._pace.use(now_ns)
        memory = self._table.memory(stock)
        found = _within(memory.series(kind, extended=wants_extended(c2s)), memory.stretches, c2s)
        if offset and offset >= len(found):
            raise refused("bad_page")
        self._quota.use(stock.key, now_ns)
        page = found[offset : offset + c2s.maxAckKLNum] if c2s.maxAckKLNum > 0 else found[offset:]
        s2c = new_answer(REQUEST_HISTORY)
        fill_security(s2c.security, stock)
        s2c.name = stock.name
        fields = c2s.needKLFieldsFlag if c2s.HasField("needKLFieldsFlag") else ALL_FIELDS
        for bar in page:
            add_kline(s2c.klList, stock, bar, (kind, memory.stretches), fields)
        if offset + len(page) < len(found):
            s2c.nextReqKey = str(offset + len(page)).encode()
        return s2c


def _offset(c2s: Any) -> int:
    if not c2s.nextReqKey:
        return 0
    text = c2s.nextReqKey
    if not text.isdigit() or len(text) > 9 or not int(text):
        raise refused("bad_page")
    return int(text)


def _within(series: KlineSeries, stretches: Stretches, c2s: Any) -> list[Bar]:
    """Return the K-lines whose stamp lies in the range that was asked for, both ends included."""
    begin_ns = _local_ns(read_moment("beginTime", c2s.beginTime, is_end=False), stretches)
    end_ns = _local_ns(read_moment("endTime", c2s.endTime, is_end=True), stretches)
    return [bar for bar in series.bars if begin_ns <= stamp_ns(bar, series.kind) <= end_ns]


def _local_ns(moment: datetime, stretches: Stretches) -> int:
    return int(moment.replace(tzinfo=stretches.zone).timestamp()) * SECOND_NS
