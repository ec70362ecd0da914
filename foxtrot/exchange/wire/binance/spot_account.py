"""What a customer may ask about its account: balances, rates, coins and what its key may do."""

from collections.abc import Mapping
from decimal import Decimal

from foxtrot.domain.enums import Liquidity, Side
from foxtrot.domain.fees import FeeBasis
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.wire.binance.endpoint import Call
from foxtrot.exchange.wire.binance.key_rights import key_rights
from foxtrot.exchange.wire.binance.numbers import decimal_text
from foxtrot.exchange.wire.binance.spot_order_desk import SpotOrderDesk
from foxtrot.exchange.wire.binance.spot_order_shapes import MS_NS, Fields
from foxtrot.exchange.wire.binance.spot_parameters import flag_of
from foxtrot.exchange.wire.binance.venue_side import ApiKey, VenueSide

_MUCH = Decimal(1_000_000)
_ZERO = Decimal(0)
_STEP = Decimal("0.00000001")
_NO_RATE = decimal_text(_ZERO)
_NO_KEY = ApiKey("", "")
_BIPS = Decimal(10_000)


def balance_texts(total: Decimal, locked: Decimal) -> tuple[str, str]:
    """Return what is free and what is locked; both are cut to eight decimals, so that nothing is promised that is not there.

    Source: Binance spot API, REST, Account information: balances.
    """
    held = max(locked, _ZERO)
    return decimal_text((total - held) // _STEP * _STEP), decimal_text(held // _STEP * _STEP)


class SpotAccount:
    """Reads accounts.

    Thread: exchange-io.
    """

    def __init__(self, side: VenueSide, desk: SpotOrderDesk) -> None:
        self._side = side
        self._desk = desk
        self.updated_ns: dict[str, int] = {}

    def account(self, call: Call) -> Fields:
        """Return balances, rates and permissions.

        Source: Binance spot API, REST, Account information; WebSocket API, account.status.
        """
        maker, taker = self._rates(next(iter(self._side.symbols().values()), None))
        key = self._key(call)
        return {
            "makerCommission": int(Decimal(maker) * _BIPS),
            "takerCommission": int(Decimal(taker) * _BIPS),
            "buyerCommission": 0,
            "sellerCommission": 0,
            "commissionRates": {"maker": maker, "taker": taker, "buyer": _NO_RATE, "seller": _NO_RATE},
            "canTrade": key.can_trade,
            "canWithdraw": key.can_withdraw,
            "canDeposit": True,
            "brokered": False,
            "requireSelfTradePrevention": False,
            "preventSor": False,
            "updateTime": self.updated_ns.get(call.account, 0) // MS_NS,
            "accountType": "SPOT",
            "balances": self._balances(call),
            "permissions": ["SPOT"],
            "uid": self._side.uids.get(call.account, 0),
        }

    def commission(self, call: Call) -> Fields:
        """Return the rates of a symbol.

        Source: Binance spot API, REST, Query Commission Rates; WebSocket API, account.commission.
        """
        instrument = self._side.instrument(call.params["symbol"])
        return {"symbol": instrument.symbol, **self._commission(instrument)}

    def test_order(self, call: Call) -> Fields:
        """Judge an order without entering it; money and book are not looked at.

        Source: Binance spot API, REST, Test new order: computeCommissionRates; WebSocket API, order.test.
        """
        self._desk.check_permission(call)
        ask, _ = self._desk.prepare(call)
        if not flag_of(call.params, "computeCommissionRates"):
            return {}
        rates = self._commission(ask.instrument)
        kinds = {
            "standard": rates["standardCommission"],
            "special": rates["specialCommission"],
            "tax": rates["taxCommission"],
        }
        return {**{f"{kind}CommissionForOrder": rate for kind, rate in kinds.items()}, "discount": rates["discount"]}

    def trade_fees(self, call: Call) -> list[Fields]:
        """Return the rates of one symbol or of all.

        Source: Binance Wallet API, Trade Fee.
        """
        symbol = call.params.get("symbol", "")
        wanted = [self._side.instrument(symbol)] if symbol else list(self._side.symbols().values())
        rows: list[Fields] = []
        for instrument in wanted:
            maker, taker = self._rates(instrument)
            rows.append({"symbol": instrument.symbol, "makerCommission": maker, "takerCommission": taker})
        return rows

    def coins(self, call: Call) -> list[Fields]:
        """Return the coins with what the account has of each.

        Source: Binance Wallet API, All Coins' Information.
        """
        held = self._side.venue.balances(call.account)
        return [_coin(asset, *held.get(asset, (_ZERO, _ZERO))) for asset in self._assets(held)]

    def restrictions(self, call: Call) -> Fields:
        """Return what a key may do.

        Source: Binance Wallet API, Get API Key Permission.
        """
        return key_rights(self._key(call))

    def _key(self, call: Call) -> ApiKey:
        return self._side.keys.get(call.api_key, _NO_KEY)

    def _balances(self, call: Call) -> list[Fields]:
        held, omit = self._side.venue.balances(call.account), flag_of(call.params, "omitZeroBalances")
        rows: list[Fields] = []
        for asset in self._assets(held):
            total, locked = held.get(asset, (_ZERO, _ZERO))
            if omit and not total and not locked:
                continue
            free, kept = balance_texts(total, locked)
            rows.append({"asset": asset, "free": free, "locked": kept})
        return rows

    def _assets(self, held: Mapping[str, tuple[Decimal, Decimal]]) -> list[str]:
        listed = [name for one in self._side.symbols().values() for name in (one.base_asset, one.quote_asset)]
        return list(dict.fromkeys([*listed, *held]))

    def _commission(self, instrument: Instrument) -> Fields:
        maker, taker = self._rates(instrument)
        none = {"maker": _NO_RATE, "taker": _NO_RATE, "buyer": _NO_RATE, "seller": _NO_RATE}
        return {
            "standardCommission": {**none, "maker": maker, "taker": taker},
            "specialCommission": none,
            "taxCommission": none,
            "discount": {
                "enabledForAccount": False,
                "enabledForSymbol": False,
                "discountAsset": "BNB",
                "discount": _NO_RATE,
            },
        }

    def _rates(self, instrument: Instrument | None) -> tuple[str, str]:
        """Return maker and taker rate: what a large fill costs, as a share of its value."""
        if instrument is None:
            return _NO_RATE, _NO_RATE
        schedule = self._side.venue.fees(instrument.instrument_id)
        maker, taker = (
            decimal_text(schedule.fee(FeeBasis(Side.BUY, liquidity, _MUCH, _MUCH)) / _MUCH)
            for liquidity in (Liquidity.MAKER, Liquidity.TAKER)
        )
        return maker, taker


def _coin(asset: str, total: Decimal, locked: Decimal) -> Fields:
    free, kept = balance_texts(total, locked)
    return {
        "coin": asset,
        "name": asset,
        "depositAllEnable": False,
        "withdrawAllEnable": False,
        "free": free,
        "locked": kept,
        "freeze": "0",
        "ipoable": "0",
        "ipoing": "0",
        "isLegalMoney": False,
        "storage": "0",
        "trading": True,
        "withdrawing": "0",
        "networkList": [],
    }
