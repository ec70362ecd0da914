"""The public endpoints of both products as tables, REST and ws-api."""

from collections.abc import Callable

from foxtrot.domain.enums import Product
from foxtrot.exchange.wire.binance.endpoint import Call, Endpoint, Routes, Security
from foxtrot.exchange.wire.binance.exchange_info import ExchangeInfo
from foxtrot.exchange.wire.binance.limits import RateLimits
from foxtrot.exchange.wire.binance.market_funding import MarketFunding
from foxtrot.exchange.wire.binance.market_history import (
    MarketHistory,
    kline_weight,
    spot_depth_weight,
    usdm_depth_weight,
)
from foxtrot.exchange.wire.binance.market_store import MarketStore
from foxtrot.exchange.wire.binance.market_tickers import MarketTickers

_SYMBOL = ("symbol",)
_KLINES = ("symbol", "interval")


def market_routes(store: MarketStore, limits: RateLimits) -> Routes:
    """Return the public endpoints of a product.

    Source: Binance spot API, Market Data endpoints and WebSocket API, Market data requests; USDⓈ-M Futures, Market Data.
    """
    if store.side.product is Product.SPOT:
        return _spot_routes(store, limits)
    return _usdm_routes(store, limits)


def _ping(_call: Call) -> object:
    return {}


def _time(call: Call) -> object:
    return {"serverTime": call.time_ms}


def _by_symbol(one: int, every: int) -> Callable[[Call], int]:
    return lambda call: one if call.params.get("symbol") else every


def _spot_routes(store: MarketStore, limits: RateLimits) -> Routes:
    history, tickers, info = MarketHistory(store), MarketTickers(store), ExchangeInfo(store, limits)
    rows: tuple[tuple[str, str, Endpoint], ...] = (
        ("ping", "ping", Endpoint(_ping)),
        ("time", "time", Endpoint(_time)),
        ("exchangeInfo", "exchangeInfo", Endpoint(info.answer, weight=20)),
        ("depth", "depth", Endpoint(history.depth, weight=spot_depth_weight, required=_SYMBOL)),
        ("trades", "trades.recent", Endpoint(history.trades, weight=25, required=_SYMBOL)),
        ("historicalTrades", "trades.historical", Endpoint(history.historical_trades, weight=25, required=_SYMBOL)),
        ("aggTrades", "trades.aggregate", Endpoint(history.agg_trades, weight=4, required=_SYMBOL)),
        ("klines", "klines", Endpoint(history.klines, weight=2, required=_KLINES)),
        ("uiKlines", "uiKlines", Endpoint(history.klines, weight=2, required=_KLINES)),
        ("avgPrice", "avgPrice", Endpoint(tickers.average, weight=2, required=_SYMBOL)),
        ("ticker/24hr", "ticker.24hr", Endpoint(tickers.day, weight=_by_symbol(2, 80))),
        ("ticker", "ticker", Endpoint(tickers.rolling, weight=4)),
        ("ticker/price", "ticker.price", Endpoint(tickers.price, weight=_by_symbol(2, 4))),
        ("ticker/bookTicker", "ticker.book", Endpoint(tickers.book, weight=_by_symbol(2, 4))),
    )
    return _both("/api/v3/", rows)


def _usdm_routes(store: MarketStore, limits: RateLimits) -> Routes:
    history, tickers, info = MarketHistory(store), MarketTickers(store), ExchangeInfo(store, limits)
    funding = MarketFunding(store)
    depth = Endpoint(history.depth, weight=usdm_depth_weight, required=_SYMBOL)
    price = Endpoint(tickers.price, weight=_by_symbol(1, 2))
    book = Endpoint(tickers.book, weight=_by_symbol(2, 5))
    old = Endpoint(history.historical_trades, Security.KEY, weight=20, required=_SYMBOL)
    rows: tuple[tuple[str, str, Endpoint], ...] = (
        ("ping", "ping", Endpoint(_ping)),
        ("time", "time", Endpoint(_time)),
        ("exchangeInfo", "exchangeInfo", Endpoint(info.answer)),
        ("depth", "depth", depth),
        ("trades", "trades.recent", Endpoint(history.trades, weight=5, required=_SYMBOL)),
        ("historicalTrades", "trades.historical", old),
        ("aggTrades", "trades.aggregate", Endpoint(history.agg_trades, weight=20, required=_SYMBOL)),
        ("klines", "klines", Endpoint(history.klines, weight=kline_weight, required=_KLINES)),
        ("ticker/24hr", "ticker.24hr", Endpoint(tickers.day, weight=_by_symbol(1, 40))),
        ("ticker/price", "ticker.price", price),
        ("ticker/bookTicker", "ticker.book", book),
        ("premiumIndex", "premiumIndex", Endpoint(funding.premium_index, weight=_by_symbol(1, 10))),
        ("fundingRate", "fundingRate", Endpoint(funding.funding_rate)),
        ("fundingInfo", "fundingInfo", Endpoint(funding.funding_info)),
        ("openInterest", "openInterest", Endpoint(funding.open_interest, required=_SYMBOL)),
    )
    routes = _both("/fapi/v1/", rows)
    return routes | {("GET", "/fapi/v2/ticker/price"): price}


def _both(prefix: str, rows: tuple[tuple[str, str, Endpoint], ...]) -> Routes:
    rest: Routes = {("GET", prefix + path): endpoint for path, _, endpoint in rows}
    return rest | {("WS", method): endpoint for _, method, endpoint in rows}
