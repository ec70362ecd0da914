"""exchangeInfo of both products, made from the venue's instruments: everything a client needs to rebuild their rules."""

from collections.abc import Iterable
from decimal import Decimal

from foxtrot.domain.enums import Product
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.wire.binance.endpoint import Call
from foxtrot.exchange.wire.binance.limits import RateLimits
from foxtrot.exchange.wire.binance.market_parameters import chosen
from foxtrot.exchange.wire.binance.market_store import MarketStore
from foxtrot.exchange.wire.binance.numbers import decimal_text, quantity_text

_PERPETUAL_DELIVERY_MS = 4_133_404_800_000
_ONBOARD_MS = 1_569_398_400_000
_MAX_PRICE = Decimal(1_000_000)
_MAX_QUANTITY = Decimal(1_000_000_000)
_ORDERS_WHEN_UNLIMITED = 10_000
_SPOT_TYPES = ("LIMIT", "LIMIT_MAKER", "MARKET", "STOP_LOSS", "STOP_LOSS_LIMIT", "TAKE_PROFIT", "TAKE_PROFIT_LIMIT")
_USDM_TYPES = (
    "LIMIT",
    "MARKET",
    "STOP",
    "STOP_MARKET",
    "TAKE_PROFIT",
    "TAKE_PROFIT_MARKET",
    "TRAILING_STOP_MARKET",
)
_STP_MODES = ("NONE", "EXPIRE_TAKER", "EXPIRE_MAKER", "EXPIRE_BOTH", "DECREMENT")

Row = dict[str, object]


class ExchangeInfo:
    """The handler of exchangeInfo.

    Thread: exchange-io.
    """

    def __init__(self, store: MarketStore, limits: RateLimits) -> None:
        self._store = store
        self._limits = limits

    def answer(self, call: Call) -> object:
        """Return limits, assets and symbols; `symbol` and `symbols` choose.

        Source: Binance spot API, Exchange information; USDⓈ-M Futures, Exchange Information.
        """
        instruments, _ = chosen(self._store.side, call)
        told: Row = {"timezone": "UTC", "serverTime": call.time_ms}
        if self._store.side.product is Product.SPOT:
            rows = [self._spot_row(one) for one in instruments]
        else:
            rows = [self._usdm_row(one) for one in instruments]
            told |= {"futuresType": "U_MARGINED", "assets": _assets(instruments)}
        return told | {"rateLimits": self._limits.table(), "exchangeFilters": [], "symbols": rows}

    def _spot_row(self, instrument: Instrument) -> Row:
        return {
            "symbol": instrument.symbol,
            "status": self._store.status(instrument),
            "baseAsset": instrument.base_asset,
            "baseAssetPrecision": max(instrument.quantity_grid.decimals, 8),
            "quoteAsset": instrument.quote_asset,
            "quotePrecision": 8,
            "quoteAssetPrecision": 8,
            "baseCommissionPrecision": 8,
            "quoteCommissionPrecision": 8,
            "orderTypes": _SPOT_TYPES,
            **_SPOT_SWITCHES,
            "filters": _spot_filters(instrument),
            "permissions": (),
            "permissionSets": (("SPOT",),),
            "defaultSelfTradePreventionMode": "EXPIRE_MAKER",
            "allowedSelfTradePreventionModes": _STP_MODES,
        }

    def _usdm_row(self, instrument: Instrument) -> Row:
        return {
            "symbol": instrument.symbol,
            "pair": instrument.symbol,
            "contractType": "PERPETUAL",
            "deliveryDate": _PERPETUAL_DELIVERY_MS,
            "onboardDate": _ONBOARD_MS,
            "status": self._store.status(instrument),
            "maintMarginPercent": decimal_text(instrument.maintenance_margin_rate * 100, 4),
            "requiredMarginPercent": decimal_text(instrument.initial_margin_rate * 100, 4),
            "baseAsset": instrument.base_asset,
            "quoteAsset": instrument.quote_asset,
            "marginAsset": instrument.settle_asset,
            "pricePrecision": instrument.price_grid.decimals,
            "quantityPrecision": instrument.quantity_grid.decimals,
            "baseAssetPrecision": 8,
            "quotePrecision": 8,
            "underlyingType": "COIN",
            "underlyingSubType": (),
            "triggerProtect": "0.0500",
            "liquidationFee": "0.012500",
            "marketTakeBound": "0.05",
            "maxMoveOrderLimit": 10_000,
            "filters": _usdm_filters(instrument),
            "orderTypes": _USDM_TYPES,
            "timeInForce": ("GTC", "IOC", "FOK", "GTX", "GTD"),
        }


_SPOT_SWITCHES: Row = {
    "icebergAllowed": True,
    "ocoAllowed": True,
    "otoAllowed": False,
    "quoteOrderQtyMarketAllowed": True,
    "allowTrailingStop": True,
    "cancelReplaceAllowed": True,
    "amendAllowed": True,
    "isSpotTradingAllowed": True,
    "isMarginTradingAllowed": False,
}


def _price_filter(instrument: Instrument, places: int) -> Row:
    """Return the filter that some clients expect to be the first of all."""
    step = instrument.price_grid.step * instrument.price_bands[0].step_units
    return {
        "filterType": "PRICE_FILTER",
        "minPrice": decimal_text(step, places),
        "maxPrice": decimal_text(_MAX_PRICE, places),
        "tickSize": decimal_text(step, places),
    }


def _lot_filter(instrument: Instrument, name: str) -> Row:
    grid, most = instrument.quantity_grid, instrument.max_quantity_units
    most = most or grid.round(_MAX_QUANTITY, "down")
    return {
        "filterType": name,
        "minQty": quantity_text(instrument, instrument.min_quantity_units or instrument.lot_units),
        "maxQty": quantity_text(instrument, most),
        "stepSize": quantity_text(instrument, instrument.lot_units),
    }


def _spot_filters(instrument: Instrument) -> list[Row]:
    filters: list[Row] = [
        _price_filter(instrument, 8),
        _lot_filter(instrument, "LOT_SIZE"),
        {"filterType": "ICEBERG_PARTS", "limit": 10_000},
        _lot_filter(instrument, "MARKET_LOT_SIZE"),
    ]
    if instrument.price_limit_rate:
        up, down = _band(instrument)
        sides = {"bidMultiplierUp": up, "bidMultiplierDown": down, "askMultiplierUp": up, "askMultiplierDown": down}
        filters.append({"filterType": "PERCENT_PRICE_BY_SIDE", **sides, "avgPriceMins": 0})
    if instrument.min_notional or instrument.max_notional:
        least, most = decimal_text(instrument.min_notional), decimal_text(instrument.max_notional or _MAX_QUANTITY)
        bounds = {"minNotional": least, "applyMinToMarket": True, "maxNotional": most, "applyMaxToMarket": True}
        filters.append({"filterType": "NOTIONAL", **bounds, "avgPriceMins": 0})
    orders = instrument.max_open_orders or _ORDERS_WHEN_UNLIMITED
    filters.append({"filterType": "MAX_NUM_ORDERS", "maxNumOrders": orders})
    filters.append({"filterType": "MAX_NUM_ALGO_ORDERS", "maxNumAlgoOrders": orders})
    return filters


def _usdm_filters(instrument: Instrument) -> list[Row]:
    orders = instrument.max_open_orders or _ORDERS_WHEN_UNLIMITED
    filters: list[Row] = [
        _price_filter(instrument, instrument.price_grid.decimals),
        _lot_filter(instrument, "LOT_SIZE"),
        _lot_filter(instrument, "MARKET_LOT_SIZE"),
        {"filterType": "MAX_NUM_ORDERS", "limit": orders},
        {"filterType": "MAX_NUM_ALGO_ORDERS", "limit": orders},
    ]
    if instrument.min_notional:
        filters.append({"filterType": "MIN_NOTIONAL", "notional": format(instrument.min_notional, "f")})
    if instrument.price_limit_rate:
        up, down = _band(instrument)
        decimals = str(max(0, -int(instrument.price_limit_rate.normalize().as_tuple().exponent)))
        band = {"multiplierUp": up, "multiplierDown": down, "multiplierDecimal": decimals}
        filters.append({"filterType": "PERCENT_PRICE", **band})
    return filters


def _band(instrument: Instrument) -> tuple[str, str]:
    rate = instrument.price_limit_rate
    return format(1 + rate, "f"), format(1 - rate, "f")


def _assets(instruments: Iterable[Instrument]) -> list[Row]:
    names = dict.fromkeys(one.settle_asset for one in instruments)
    return [{"asset": name, "marginAvailable": True, "autoAssetExchange": "0"} for name in names]
