"""What does not change about stocks: names, lot sizes, first days; and snapshots, which need no subscription."""

from typing import Any, Final

from foxtrot.domain.enums import Product
from foxtrot.exchange.wire.futu.connection import FutuClient
from foxtrot.exchange.wire.futu.message_types import new_answer
from foxtrot.exchange.wire.futu.quote_limits import FIGURES, QuoteSettings, refused
from foxtrot.exchange.wire.futu.quote_quota import CallPace
from foxtrot.exchange.wire.futu.quote_rows import (
    NORMAL,
    SUSPENDED,
    figures_of,
    fill_extended,
    fill_security,
    is_suspended,
    percent,
    set_day_volume,
)
from foxtrot.exchange.wire.futu.quote_stocks import PREFIXES, Stock, StockTable
from foxtrot.exchange.wire.futu.quote_times import day_text, epoch_s, local_text, midnight_ns

GET_STATIC, GET_SNAPSHOT = 3202, 3203
SHARE: Final = 3
UNKNOWN_NAME: Final = "Unknown stock"
_SEC_TYPES: Final = {Product.STOCK: SHARE, Product.FUTURE: 10, Product.FOREX: 11}
"""Product → SecurityType.

Source: Qot_Common.proto, SecurityType.
"""
_EXCHANGES: Final = {"SEHK": 1, "NYSE": 4, "NASDAQ": 5, "ARCA": 4, "AMEX": 7}
"""Venue of an instrument id → ExchType.

Source: Qot_Common.proto, ExchType.
"""


class StaticInfo:
    """Handlers of Qot_GetStaticInfo and Qot_GetSecuritySnapshot.

    Thread: exchange-io.
    """

    def __init__(self, table: StockTable, settings: QuoteSettings) -> None:
        self._table = table
        self._settings = settings
        is_strict = table.side.settings.limits
        self._static_pace = CallPace("static_calls", is_strict=is_strict)
        self._snapshot_pace = CallPace("snapshot_calls", is_strict=is_strict)

    def static(self, _client: FutuClient, c2s: Any) -> Any:
        """Return stocks by code, or all of a market and type; codes count before market and type.

        This is the one request that does not refuse an unknown code: its row says that there is no such stock.

        Source: Qot_GetStaticInfo.proto; Futu OpenAPI documentation, Get Static Information of Securities (its note).

        Raises:
            FutuRefused: an unknown market, or too many calls.
        """
        self._static_pace.use(self._table.side.now_ns())
        s2c = new_answer(GET_STATIC)
        if c2s.securityList:
            for security in c2s.securityList:
                row, stock = s2c.staticInfoList.add().basic, self._table.known(security)
                if stock is None:
                    _fill_unknown(row, security)
                else:
                    self._fill_static(row, stock)
        else:
            if c2s.market not in PREFIXES:
                raise refused("bad_market", value=c2s.market, known=", ".join(f"{n} {p}" for n, p in PREFIXES.items()))
            of_market = [stock for stock in self._table.all() if stock.market == c2s.market]
            for stock in of_market:
                if c2s.secType in (0, _type_of(stock)):
                    self._fill_static(s2c.staticInfoList.add().basic, stock)
        return s2c

    def snapshot(self, _client: FutuClient, c2s: Any) -> Any:
        """Return quotes with best prices of some stocks.

        Source: Qot_GetSecuritySnapshot.proto; Futu OpenAPI documentation, Get Market Snapshot.

        Raises:
            FutuRefused: unknown, without quote right, too many at once or too often.
        """
        self._snapshot_pace.use(self._table.side.now_ns())
        most = FIGURES["snapshot_rows"].value
        if not 0 < len(c2s.securityList) <= most:
            raise refused("bad_number", name="number of securities", value=len(c2s.securityList), most=most)
        stocks = [self._table.find(security) for security in c2s.securityList]
        for stock in stocks:
            if stock.market not in self._settings.rights:
                raise refused("no_right", code=stock.full_code)
        s2c = new_answer(GET_SNAPSHOT)
        for stock in stocks:
            self._fill_snapshot(s2c.snapshotList.add().basic, stock)
        return s2c

    def _fill_static(self, row: Any, stock: Stock) -> None:
        fill_security(row.security, stock)
        row.id, row.name, row.lotSize = stock.stock_id, stock.name, _lot_size(stock)
        row.secType = _type_of(stock)
        row.exchType = _EXCHANGES.get(stock.instrument.venue, 0)
        row.delisting = False
        row.listTime = day_text(stock.listed)
        if stock.listed is not None:
            row.listTimestamp = epoch_s(midnight_ns(stock.listed, self._table.side.zone_of(stock.market)))

    def _fill_snapshot(self, row: Any, stock: Stock) -> None:
        memory, figures, instrument = self._table.memory(stock), figures_of(self._table, stock), stock.instrument
        fill_security(row.security, stock)
        row.name, row.type, row.lotSize = stock.name, _type_of(stock), _lot_size(stock)
        row.isSuspend = is_suspended(self._table, stock)
        row.secStatus = SUSPENDED if row.isSuspend else NORMAL
        row.listTime = day_text(stock.listed)
        row.priceSpread = instrument.price(instrument.step_units(figures.last_units))
        row.updateTime = local_text(memory.last_ns, memory.stretches.zone) if memory.last_ns else ""
        row.openPrice, row.highPrice, row.lowPrice = figures.open, figures.high, figures.low
        row.curPrice, row.lastClosePrice = figures.last, figures.previous
        set_day_volume(row, instrument, memory)
        row.turnover, row.turnoverRate = figures.turnover, 0.0
        row.amplitude = percent(figures.high - figures.low, figures.previous)
        row.avgPrice = figures.turnover / row.volume if row.volume else 0.0
        if memory.last_ns:
            row.updateTimestamp = epoch_s(memory.last_ns)
        fill_extended(row, stock, memory)
        self._fill_top(row, stock)

    def _fill_top(self, row: Any, stock: Stock) -> None:
        instrument = stock.instrument
        _, bids, asks = self._table.side.venue.depth(instrument.instrument_id, 1)
        for price_field, size_field, top in (("bidPrice", "bidVol", bids), ("askPrice", "askVol", asks)):
            price, quantity = top[0] if top else (0, 0)
            setattr(row, price_field, instrument.price(price))
            setattr(row, size_field, int(instrument.quantity_grid.to_decimal(quantity)))


def _fill_unknown(row: Any, security: Any) -> None:
    row.security.market, row.security.code = security.market, security.code
    row.name, row.delisting = UNKNOWN_NAME, True
    row.id, row.lotSize, row.secType, row.listTime = 0, 0, 0, ""


def _type_of(stock: Stock) -> int:
    return _SEC_TYPES.get(stock.instrument.product, 0)


def _lot_size(stock: Stock) -> int:
    return int(stock.instrument.quantity_grid.to_decimal(stock.instrument.lot_units)) or 1
