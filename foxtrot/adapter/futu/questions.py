"""What market data asks of OpenD, each by the SDK's own request and answered by its raw message."""

from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from typing import Any, Final, Protocol

from foxtrot.adapter.futu.kline_types import KlineType
from foxtrot.adapter.futu.sdk import Sdk

UNADJUSTED: Final = "None"
"""Prices as they were: the SDK would ask for adjusted ones by itself. Source: Futu OpenAPI, Quote Definitions, AuType."""
NO_SESSION, EXTENDED_SESSION = "N/A", "ETH"
"""Source: futu-api 10.11.7108, constant.Session: NONE leaves it to the server, ETH is with the hours before and after."""
PAGE: Final = 1_000
"""Source: Futu OpenAPI, Get Historical Candlesticks: 1,000 a page at most."""
ALL_FIELDS: Final = ""
"""Source: futu-api 10.11.7108, constant.KL_FIELD.ALL; a name that is not known asks for no field at all."""
Call = Callable[[Any], Any]


class Door(Protocol):
    """Who makes calls of the quote context, on its worker and under its ledger.

    Thread: futu-io.
    """

    @property
    def sdk(self) -> Sdk:
        """Return the SDK."""
        ...

    async def quote(self, kind: str, call: Call) -> Any:
        """Make a call that is counted by its kind.

        Raises:
            AdapterError: it failed.
        """
        ...


class Questions:
    """The questions, which differ in what the SDK packs.

    Thread: futu-io. Each raises AdapterError when OpenD refuses or does not answer.

    Args:
        door: who asks.
        extended_hours: whether trading before and after the session of US stocks is meant, too.
    """

    def __init__(self, door: Door, *, extended_hours: bool) -> None:
        self._door = door
        self._extended = extended_hours

    async def subscribe(self, codes: Sequence[str], kinds: Sequence[str], *, first_push: bool) -> None:
        """Subscribe to kinds of data of some instruments, with a push of what is known now, or without."""
        arguments: dict[str, Any] = {
            "is_first_push": first_push,
            "subscribe_push": True,
            "is_detailed_orderbook": False,
        }
        arguments |= self._hours(codes)
        await self._ask("subscribe", "SubscriptionQuery", "pack_subscribe_req",
                        code_list=list(codes), subtype_list=list(kinds), **arguments)  # fmt: skip

    async def unsubscribe(self, codes: Sequence[str], kinds: Sequence[str]) -> None:
        """Unsubscribe, a minute after subscribing at the earliest."""
        await self._ask("unsubscribe", "SubscriptionQuery", "pack_unsubscribe_req",
                        code_list=list(codes), subtype_list=list(kinds), unsubscribe_all=False)  # fmt: skip

    async def book(self, code: str, levels: int) -> Any:
        """Return the order book of a subscribed instrument, which has the fields of a push."""
        return await self._ask("book", "OrderBookQuery", "pack_req", code=code, num=levels)

    async def tickers(self, code: str, count: int) -> Sequence[Any]:
        """Return the newest prints of a subscribed instrument, oldest first."""
        answer = await self._ask("ticker", "TickerQuery", "pack_req", code=code, num=count)
        found: Sequence[Any] = answer.tickerList
        return found

    async def klines(self, code: str, kind: KlineType, count: int) -> Sequence[Any]:
        """Return the newest K-lines of a subscribed instrument, oldest first, the one that forms among them."""
        answer = await self._ask("bars", "CurKlineQuery", "pack_req",
                                 code=code, num=count, ktype=kind.name, autype=UNADJUSTED)  # fmt: skip
        found: Sequence[Any] = answer.klList
        return found

    async def history(self, code: str, kind: KlineType, days: tuple[date, date], key: bytes | None) -> Any:
        """Return a page of K-lines of some days, both inclusive, oldest first; `nextReqKey` is set when there are more.

        Source: Qot_RequestHistoryKL.proto. What comes is as it was traded: not adjusted.
        """
        arguments: dict[str, Any] = {"start_date": f"{days[0]} 00:00:00", "end_date": f"{days[1]} 23:59:59"}
        if not kind.is_daily:
            arguments |= self._hours([code])
        else:
            arguments |= {"extended_time": False, "session": NO_SESSION}
        return await self._ask("history", "RequestHistoryKlineQuery", "pack_req", code=code, ktype=kind.name,
                               autype=UNADJUSTED, fields=[ALL_FIELDS], max_num=PAGE, next_req_key=key, **arguments)  # fmt: skip

    async def static_info(self, market: str, kind: str) -> Sequence[Any]:
        """Return all securities of a market and kind."""
        answer = await self._ask(
            "static", "StockBasicInfoQuery", "pack_req", market=market, stock_type=kind, code_list=None
        )
        found: Sequence[Any] = answer.staticInfoList
        return found

    async def trading_days(self, market: str, days: tuple[date, date]) -> Sequence[Any]:
        """Return the trading days of a market between two dates, both inclusive."""
        answer = await self._ask("days", "RequestTradeDayQuery", "pack_req",
                                 market=market, start_date=str(days[0]), end_date=str(days[1]))  # fmt: skip
        found: Sequence[Any] = answer.tradeDateList
        return found

    def _hours(self, codes: Sequence[str]) -> dict[str, Any]:
        extended = self._extended and all(code.startswith("US.") for code in codes)
        return {"extended_time": extended, "session": EXTENDED_SESSION if extended else NO_SESSION}

    async def _ask(self, kind: str, query: str, method: str, **arguments: Any) -> Any:
        pack = getattr(getattr(self._door.sdk.futu.quote.quote_query, query), method)
        return await self._door.quote(kind, partial(_ask, pack, arguments))


def _ask(pack: Callable[..., Any], arguments: dict[str, Any], context: Any) -> Any:
    return context.ask(pack, **arguments)
