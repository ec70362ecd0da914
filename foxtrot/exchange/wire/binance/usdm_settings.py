"""What a USD-M account can set, and what it may ask about rules, fees and rights."""

from decimal import Decimal

from foxtrot.domain.enums import Liquidity, PositionMode, Side
from foxtrot.domain.fees import FeeBasis
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.commands import SetLeverage, SetPositionMode
from foxtrot.exchange.result import ResultCode
from foxtrot.exchange.wire.binance.api_error import ApiError
from foxtrot.exchange.wire.binance.endpoint import Call
from foxtrot.exchange.wire.binance.numbers import decimal_text
from foxtrot.exchange.wire.binance.usdm_desk import UsdmDesk
from foxtrot.exchange.wire.binance.usdm_errors import missing, refused
from foxtrot.exchange.wire.binance.usdm_page import Row
from foxtrot.exchange.wire.binance.usdm_params import FLAGS, Params
from foxtrot.exchange.wire.binance.usdm_positions import MOST_NOTIONAL

DONE: Row = {"code": 200, "msg": "success"}
_MARGIN_TYPES = {"CROSSED": True, "CROSS": True, "ISOLATED": False}
_ONE = Decimal(1)


class UsdmSettings:
    """Leverage, position mode, margin type, and the figures around them.

    Thread: exchange-io.
    """

    def __init__(self, desk: UsdmDesk) -> None:
        self._desk = desk

    def set_leverage(self, call: Call) -> Row:
        """Set the leverage of a symbol.

        Source: Binance USDⓈ-M Futures, Change Initial Leverage; Error Codes, -4028, -2028.
        """
        params = Params(call.params)
        instrument = self._desk.side.instrument(params.needed("symbol"))
        params.needed("leverage")
        leverage = params.integer("leverage")
        command = SetLeverage(self._desk.side.now_ns(), call.account, instrument.instrument_id, leverage)
        result = self._desk.execute(command)
        if result.code is ResultCode.ACCOUNT_LEVERAGE:
            raise ApiError(-4028, f"Leverage {leverage} is not valid")
        if result.code is ResultCode.ACCOUNT_INSUFFICIENT_MARGIN:
            raise ApiError(-2028, "Leverage is smaller than permitted: insufficient margin balance.")
        if not result.ok:
            raise refused(result, instrument)
        return {"symbol": instrument.symbol, "leverage": leverage, "maxNotionalValue": str(MOST_NOTIONAL)}

    def set_margin_type(self, call: Call) -> Row:
        """Refuse every change: the venue's margin is cross.

        Source: Binance USDⓈ-M Futures, Change Margin Type; Error Codes, -4046, -4084.
        """
        params = Params(call.params)
        self._desk.side.instrument(params.needed("symbol"))
        params.needed("marginType")
        if params.choice("marginType", _MARGIN_TYPES, ApiError(-1128, "Combination of optional parameters invalid.")):
            raise ApiError(-4046, "No need to change margin type.")
        raise ApiError(-4084, "Method is not allowed currently. Upcoming soon.")

    def set_position_mode(self, call: Call) -> Row:
        """Choose between one-way and hedge mode.

        Source: Binance USDⓈ-M Futures, Change Position Mode; Error Codes, -4059, -4067, -4068.
        """
        params = Params(call.params)
        params.needed("dualSidePosition")
        hedged = params.flag("dualSidePosition")
        if hedged is self._desk.is_hedged(call.account):
            raise ApiError(-4059, "No need to change position side.")
        mode = PositionMode.HEDGING if hedged else PositionMode.NETTING
        result = self._desk.execute(SetPositionMode(self._desk.side.now_ns(), call.account, mode))
        if result.code is ResultCode.ACCOUNT_HAS_ORDERS:
            raise ApiError(-4067, "Position side cannot be changed if there exists open orders.")
        if result.code is ResultCode.ACCOUNT_HAS_POSITION:
            raise ApiError(-4068, "Position side cannot be changed if there exists position.")
        if not result.ok:
            raise ApiError(-1109, "Invalid account.")
        return DONE

    def position_mode(self, call: Call) -> Row:
        """Tell whether the account is in hedge mode.

        Source: Binance USDⓈ-M Futures, Get Current Position Mode.
        """
        return {"dualSidePosition": self._desk.is_hedged(call.account)}

    def brackets(self, call: Call) -> list[Row]:
        """Return the only bracket of each symbol, or of one.

        Source: Binance USDⓈ-M Futures, Notional and Leverage Brackets; figures are numbers there.
        """
        return [self._bracket(instrument) for instrument in self._wanted(call)]

    def symbol_config(self, call: Call) -> list[Row]:
        """Return margin type and leverage of each symbol, or of one.

        Source: Binance USDⓈ-M Futures, Symbol Configuration.
        """
        return [
            {
                "symbol": instrument.symbol,
                "marginType": "CROSSED",
                "isAutoAddMargin": False,
                "leverage": self._desk.venue.leverage(call.account, instrument.instrument_id),
                "maxNotionalValue": str(MOST_NOTIONAL),
            }
            for instrument in self._wanted(call)
        ]

    def account_config(self, call: Call) -> Row:
        """Return what the account may do.

        Source: Binance USDⓈ-M Futures, Futures Account Configuration.
        """
        return {
            "feeTier": 0,
            "canTrade": True,
            "canDeposit": True,
            "canWithdraw": True,
            "dualSidePosition": self._desk.is_hedged(call.account),
            "updateTime": 0,
            "multiAssetsMargin": False,
            "tradeGroupId": -1,
        }

    def commission_rate(self, call: Call) -> Row:
        """Return the fee rates of a symbol.

        Source: Binance USDⓈ-M Futures, User Commission Rate.
        """
        instrument = self._desk.side.instrument(Params(call.params).needed("symbol"))
        fees = self._desk.venue.fees(instrument.instrument_id)
        maker, taker = (fees.fee(FeeBasis(Side.BUY, kind, _ONE, _ONE)) for kind in (Liquidity.MAKER, Liquidity.TAKER))
        return {
            "symbol": instrument.symbol,
            "makerCommissionRate": decimal_text(maker, 6),
            "takerCommissionRate": decimal_text(taker, 6),
            "rpiCommissionRate": decimal_text(Decimal(0), 6),
        }

    def change_position_margin(self, call: Call) -> Row:
        """Refuse to move margin: no position is isolated.

        Source: Binance USDⓈ-M Futures, Modify Isolated Position Margin; Error Codes, -4049.
        """
        self._desk.side.instrument(Params(call.params).needed("symbol"))
        raise ApiError(-4049, "Add margin only support for isolated position.")

    def multi_assets(self, call: Call) -> Row:
        """Tell that each asset margins its own contracts.

        Source: Binance USDⓈ-M Futures, Get Current Multi-Assets Mode.
        """
        return {"multiAssetsMargin": False}

    def set_multi_assets(self, call: Call) -> Row:
        """Refuse every change of the asset mode.

        Source: Binance USDⓈ-M Futures, Change Multi-Assets Mode; Error Codes, -4171, -4084.
        """
        if FLAGS.get(Params(call.params).needed("multiAssetsMargin").lower()) is None:
            raise missing("multiAssetsMargin")
        if Params(call.params).flag("multiAssetsMargin"):
            raise ApiError(-4084, "Method is not allowed currently. Upcoming soon.")
        raise ApiError(-4171, "Adjusted asset mode is currently set and does not need to be adjusted repeatedly.")

    def trading_status(self, call: Call) -> Row:
        """Tell that no rule limits the account.

        Source: Binance USDⓈ-M Futures, Futures Trading Quantitative Rules Indicators.
        """
        return {"indicators": {}, "updateTime": self._desk.time_ms}

    def fee_burn(self, call: Call) -> Row:
        """Tell that fees are not paid in BNB.

        Source: Binance USDⓈ-M Futures, Get BNB Burn Status.
        """
        return {"feeBurn": False}

    def order_limits(self, call: Call) -> list[Row]:
        """Return how many orders may be sent.

        Source: Binance USDⓈ-M Futures, Query User Rate Limit.
        """
        limits = (("SECOND", 10, 300), ("MINUTE", 1, 1200))
        return [
            {"rateLimitType": "ORDERS", "interval": interval, "intervalNum": number, "limit": limit}
            for interval, number, limit in limits
        ]

    def _wanted(self, call: Call) -> list[Instrument]:
        symbol = Params(call.params).text("symbol")
        return [self._desk.side.instrument(symbol)] if symbol else list(self._desk.side.symbols().values())

    def _bracket(self, instrument: Instrument) -> Row:
        name = instrument.instrument_id
        tier: Row = {
            "bracket": 1,
            "initialLeverage": self._desk.venue.most_leverage(name),
            "notionalCap": MOST_NOTIONAL,
            "notionalFloor": 0,
            "maintMarginRatio": float(self._desk.venue.margin_rates(name)[1]),
            "cum": 0.0,
        }
        return {"symbol": instrument.symbol, "notionalCoef": 1.0, "brackets": [tier]}
