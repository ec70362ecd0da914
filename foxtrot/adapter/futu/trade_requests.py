"""What trading asks of OpenD, each by the SDK's own request and answered by its raw message."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from hashlib import md5
from typing import Any, Final

from foxtrot.adapter.futu.accounts import FutuAccount
from foxtrot.adapter.futu.codec import MARKETS, QUOTED, SECOND_NS, TRADED_IN
from foxtrot.adapter.futu.errors import VENUE, NotSent, PermitClosed
from foxtrot.adapter.futu.order_codec import OrderCall
from foxtrot.adapter.futu.order_gate import OrderGate
from foxtrot.adapter.futu.session import FutuSession
from foxtrot.core.secret import Secret
from foxtrot.domain.errors import AdapterError, VenueRejected

ANY: Final = "N/A"
CANCEL: Final = "CANCEL"
CHANGE: Final = "NORMAL"
LONGEST_DAYS: Final = 90
"""How long a span one question for the past may have. Source: Futu OpenAPI, trade, Get Historical Order List."""
LATEST_S: Final = 5.0
"""How long an order may wait behind others that are not answered; one that leaves later would come at another price."""
_TRD_MARKETS: Final = {
    ("HK", True): "HK",
    ("HK", False): "HK",
    ("US", True): "US",
    ("US", False): "US",
    ("CN", True): "HKCC",
    ("CN", False): "CN",
}
"""The SDK's word for a market, with and without real money. Source: Futu OpenAPI, trade, TrdMarket."""
_TIME: Final = "%Y-%m-%d %H:%M:%S"


class TradeRequests:
    """The requests about the accounts of the settings, which are one with real money, and mostly one for each market without.

    Thread: futu-io. Each raises AdapterError when OpenD refuses or does not answer.
    """

    def __init__(self, session: FutuSession) -> None:
        self._session = session

    def account_of(self, market: str) -> FutuAccount:
        """Return the account that trades a market.

        Raises:
            VenueRejected: the settings name no such market.
        """
        account = self._session.accounts.get(market)
        if account is None:
            raise VenueRejected(VENUE, "market", f"{market} is none of the markets of the settings")
        return account

    def accounts(self) -> tuple[tuple[str, FutuAccount], ...]:
        """Return every account once, with a market that it trades."""
        listed = self._session.accounts.items()
        return tuple({account.account_id: (market, account) for market, account in listed}.values())

    # --- orders -----------------------------------------------------------------------------------------------------

    async def place(self, call: OrderCall, gate: OrderGate) -> str:
        """Send an order and return Futu's number of it.

        Raises:
            NotSent: it did not leave.
            AdapterError: it was refused, or what became of it is not known.
        """
        market, _, code = call.code.partition(".")
        arguments: dict[str, Any] = {
            "adjust_limit": 0.0, "fill_outside_rth": False, "session": ANY, "aux_price": None, "trail_type": None,
            "trail_value": None, "trail_spread": None, "jp_acc_type": "JP_GENERAL", "position_id": None,
            "expire_time": None, "amount": None, "pred_side": None,
        }  # fmt: skip
        arguments |= call.arguments() | {"code": code, "sec_mkt_str": market} | self._of(TRADED_IN[market])
        pack, asked_ns = self._session.sdk.request("PlaceOrder"), self._session.clock.monotonic_ns()

        def send(context: Any) -> Any:
            if self._session.clock.monotonic_ns() - asked_ns > LATEST_S * SECOND_NS:
                raise NotSent(
                    "late", f"OpenD did not answer an order before it, so that it waited for more than {LATEST_S:g} s"
                )
            return context.ask_through(gate, pack, **arguments)

        try:
            answer = await self._session.trade("place", send)
        except AdapterError:
            if gate.refused:
                raise PermitClosed(gate.refused) from None
            raise
        return str(answer.orderIDEx)

    async def cancel(self, market: str, venue_order_id: str) -> None:
        """Cancel an order."""
        await self._change("cancel", market, venue_order_id, {"modify_order_op": CANCEL, "qty": 0.0, "price": 0.0})

    async def change(self, market: str, venue_order_id: str, figures: Mapping[str, Any], gate: OrderGate) -> None:
        """Give a resting order another quantity (`qty`), which is that of the whole order, price, or trigger (`aux_price`).

        Raises:
            NotSent: it did not leave.
            AdapterError: it was refused, or what became of it is not known.
        """
        pack = self._session.sdk.request("ModifyOrder")
        arguments = self._changing(market, venue_order_id, {"modify_order_op": CHANGE, **figures})
        try:
            await self._session.trade("modify", lambda context: context.ask_through(gate, pack, **arguments))
        except AdapterError:
            if gate.refused:
                raise PermitClosed(gate.refused) from None
            raise

    async def _change(self, kind: str, market: str, venue_order_id: str, what: Mapping[str, Any]) -> None:
        await self._ask(kind, "ModifyOrder", **self._changing(market, venue_order_id, what))

    def _changing(self, market: str, venue_order_id: str, what: Mapping[str, Any]) -> dict[str, Any]:
        arguments = {
            "order_id": venue_order_id, "adjust_limit": 0.0, "aux_price": None, "trail_type": None, "trail_value": None,
            "trail_spread": None,
        }  # fmt: skip
        return {**arguments, **what, **self._of(market)}

    async def unlock(self, password: Secret, firm: str) -> None:
        """Unlock trading with real money."""
        digest = md5(password.reveal().encode(), usedforsecurity=False).hexdigest()
        pack = self._session.sdk.request("UnlockTrade")
        arguments = {"is_unlock": True, "security_firm": firm or ANY}
        await self._session.trade("unlock", lambda context: context.ask(pack, password_md5=digest, **arguments))

    # --- lists ------------------------------------------------------------------------------------------------------

    async def orders(self, *, fresh: bool = False) -> list[Any]:
        """Return today's orders of all accounts, and older ones that are open; `fresh` has OpenD ask its server."""
        found: list[Any] = []
        filters = {"order_id": "", "status_filter_list": [], "code": "", "start": "", "end": ""}
        for market, _ in self.accounts():
            arguments = filters | self._of(market) | {"refresh_cache": fresh, "order_market": ANY}
            found += (await self._ask("orders", "OrderListQuery", **arguments)).orderList
        return found

    async def past_orders(self, since_ns: int) -> list[Any]:
        """Return the orders of all accounts that were placed since a time, those of today perhaps excepted."""
        found: list[Any] = []
        for market, _ in self.accounts():
            for start, end in self._spans(market, since_ns):
                arguments = {"status_filter_list": [], "code": "", "start": start, "end": end, "order_market": ANY}
                arguments |= self._of(market)
                found += (await self._ask("history_orders", "HistoryOrderListQuery", **arguments)).orderList
        return found

    async def deals(self, *, fresh: bool = False) -> list[Any]:
        """Return today's fills of all accounts; there are none of paper accounts."""
        found: list[Any] = []
        for market, _ in self.accounts():
            arguments = self._of(market) | {"code": "", "refresh_cache": fresh, "deal_market": ANY}
            found += (await self._ask("deals", "DealListQuery", **arguments)).orderFillList
        return found

    async def past_deals(self, since_ns: int) -> list[Any]:
        """Return the fills of all accounts since a time, those of today perhaps excepted."""
        found: list[Any] = []
        for market, _ in self.accounts():
            for start, end in self._spans(market, since_ns):
                arguments = self._of(market) | {"code": "", "start": start, "end": end, "deal_market": ANY}
                found += (await self._ask("history_deals", "HistoryDealListQuery", **arguments)).orderFillList
        return found

    async def funds(self, market: str, currency: str) -> Any:
        """Return the money of the account that trades a market, its totals in a currency."""
        header = self._of(market)
        arguments = {
            "acc_id": header["acc_id"], "trd_env": header["trd_env"], "trd_market": header["trd_mkt"],
            "refresh_cache": True, "currency": currency, "asset_category": ANY,
        }  # fmt: skip
        return (await self._ask("funds", "AccInfoQuery", **arguments)).funds

    async def positions(self) -> list[Any]:
        """Return what all accounts hold."""
        found: list[Any] = []
        for market, _ in self.accounts():
            arguments = self._of(market) | {
                "code": "", "pl_ratio_min": None, "pl_ratio_max": None, "refresh_cache": True, "position_market": ANY,
                "asset_category": ANY, "currency": None, "show_option_strategy_view": False,
            }  # fmt: skip
            found += (await self._ask("positions", "PositionListQuery", **arguments)).positionList
        return found

    # --- inside -----------------------------------------------------------------------------------------------------

    async def _ask(self, kind: str, name: str, **arguments: Any) -> Any:
        pack = self._session.sdk.request(name)
        return await self._session.trade(kind, lambda context: context.ask(pack, **arguments))

    def _of(self, market: str) -> dict[str, Any]:
        """Return which account a request is about, as the SDK calls it."""
        account = self.account_of(market)
        return {
            "trd_env": "REAL" if account.real else "SIMULATE",
            "acc_id": account.account_id,
            "trd_mkt": _TRD_MARKETS[market, account.real],
        }

    def _spans(self, market: str, since_ns: int) -> Iterator[tuple[str, str]]:
        """Yield begin and end of the questions for the past since a time, in the market's own time, with a day to spare."""
        zone = MARKETS[QUOTED[market][0]].zone
        now = datetime.fromtimestamp(self._session.clock.now_ns() // SECOND_NS, zone) + timedelta(days=1)
        begin = max(datetime.fromtimestamp(since_ns // SECOND_NS, zone), now - timedelta(days=LONGEST_DAYS * 4))
        begin -= timedelta(days=1)
        while begin < now:
            end = min(now, begin + timedelta(days=LONGEST_DAYS - 1))
            yield begin.strftime(_TIME), end.strftime(_TIME)
            begin = end
