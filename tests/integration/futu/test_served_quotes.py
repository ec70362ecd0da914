"""The unmodified SDK reads the served quotes: its own handlers and getters get what the venue did."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from itertools import count
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from foxtrot.adapter.futu.kline_types import STAMPED_AT_THEIR_END
from foxtrot.core.clock import ManualClock
from foxtrot.domain.enums import OrderType, Side
from foxtrot.exchange.commands import Deposit, OpenAccount, PlaceOrder
from foxtrot.exchange.listings import listing
from foxtrot.exchange.server import ExchangeServer
from foxtrot.exchange.wire.futu.quote_limits import QuoteSettings
from foxtrot.exchange.wire.futu.quote_times import BARS_STAMPED_AT_END
from foxtrot.exchange.wire.futu.surface_settings import FutuSettings
from tests.support.futu_rig import futu_port, served_futu
from tests.support.futu_sdk import FutuContexts, hear_pushes, settled_rows
from tests.support.waiting import wait_until

HK, US = "00700.SEHK", "AAPL.NASDAQ"
_NUMBERS = count(1)


def local(zone: str, text: str) -> int:
    """A local time in ns."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp()) * 1_000_000_000


MORNING_NS = local("Asia/Hong_Kong", "2026-03-10 10:00:00")


class ServedMarket:
    """A served venue on which two others trade by hand.

    Thread: the test's.
    """

    def __init__(self, server: ExchangeServer, clock: ManualClock) -> None:
        self.server = server
        self.clock = clock
        self.port = futu_port(server)
        for account in ("alice", "bob"):
            self._do(OpenAccount(clock.now_ns(), account))
            for asset in ("HKD", "USD", "00700", "AAPL"):
                self._do(Deposit(clock.now_ns(), account, asset, Decimal(10**9)))

    def order(self, side: Side, price: str, quantity: int, account: str = "alice", name: str = HK) -> None:
        units = listing(name).price_grid.from_decimal(price)
        self._do(
            PlaceOrder(self.clock.now_ns(), account, name, f"o{next(_NUMBERS)}", side, OrderType.LIMIT, quantity, units)
        )

    def trade(self, price: str, quantity: int, side: Side = Side.BUY, name: str = HK) -> None:
        self.order(side.opposite, price, quantity, "bob", name)
        self.order(side, price, quantity, "alice", name)

    def wait(self, seconds: float) -> None:
        """Move the clock, and let the server see it."""
        self.clock.advance(int(seconds * 1e9))
        self.server.step()

    def _do(self, command: Any) -> None:
        assert self.server.call(lambda server: server.host.execute(command)).ok


@contextmanager
def served_market(
    now_ns: int = MORNING_NS, *, always_open: bool = False, limits: bool = True
) -> Iterator[ServedMarket]:
    clock = ManualClock(now_ns)
    with served_futu(clock=clock, futu=FutuSettings(always_open=always_open, limits=limits)) as server:
        yield ServedMarket(server, clock)


def heard_by(context: Any, base: type) -> list[Any]:
    """What one of the SDK's own handlers makes of the pushes of its kind."""
    heard: list[Any] = []

    def on_recv_rsp(self: Any, message: Any) -> Any:
        result = base.on_recv_rsp(self, message)  # type: ignore[attr-defined]
        heard.append(result)
        return result

    context.set_handler(type(f"Heard{base.__name__}", (base,), {"on_recv_rsp": on_recv_rsp})())
    return heard


@pytest.mark.parametrize(
    "name", ["StockQuoteHandlerBase", "OrderBookHandlerBase", "TickerHandlerBase", "CurKlineHandlerBase"]
)
def test_each_handler_of_the_sdk_gets_its_pushes(futu_contexts: FutuContexts, name: str) -> None:
    futu = futu_contexts.futu
    kinds = {
        "StockQuoteHandlerBase": ["QUOTE"], "OrderBookHandlerBase": ["ORDER_BOOK"], "TickerHandlerBase": ["TICKER"],
        "CurKlineHandlerBase": ["K_1M"],
    }  # fmt: skip
    with served_market() as market:
        context = futu_contexts.quote(market.port)
        heard = heard_by(context, getattr(futu, name))
        market.trade("400.0", 100)
        assert context.subscribe(["HK.00700"], kinds[name]) == (0, None)
        wait_until(lambda: len(heard) >= 1)
        market.trade("400.4", 300, Side.SELL)
        market.order(Side.BUY, "400.0", 500)
        wait_until(lambda: len(heard) >= 2)
        assert {result for result, *_ in heard} == {0}


def test_a_quote_is_read_with_its_day_and_time(futu_contexts: FutuContexts) -> None:
    with served_market() as market:
        context = futu_contexts.quote(market.port)
        heard = heard_by(context, futu_contexts.futu.StockQuoteHandlerBase)
        context.subscribe(["HK.00700"], ["QUOTE"], is_first_push=False)
        market.trade("400.4", 300)
        wait_until(lambda: bool(heard))
        [row] = settled_rows(heard[-1][1])
        assert (row["code"], row["name"], row["data_date"], row["data_time"]) == (
            "HK.00700", "TENCENT", "2026-03-10", "10:00:00.000",
        )  # fmt: skip
        assert (row["last_price"], row["volume"], row["turnover"], row["prev_close_price"]) == (
            400.4,
            300,
            120_120.0,
            400.0,
        )
        assert (row["price_spread"], row["suspension"], row["sec_status"]) == (0.2, False, "NORMAL")
        result, rows = context.get_stock_quote(["HK.00700"])
        assert (result, settled_rows(rows)[0]["last_price"]) == (0, 400.4)


def test_trades_are_read_with_direction_and_sequence(futu_contexts: FutuContexts) -> None:
    with served_market() as market:
        context = futu_contexts.quote(market.port)
        heard = heard_by(context, futu_contexts.futu.TickerHandlerBase)
        context.subscribe(["HK.00700"], ["TICKER"], is_first_push=False)
        market.trade("400.4", 300, Side.SELL)
        market.wait(1.5)
        market.trade("400.6", 100)
        wait_until(lambda: len(heard) == 2)
        rows = [settled_rows(frame)[0] for _, frame in heard]
        assert [(row["price"], row["volume"], row["ticker_direction"], row["sequence"]) for row in rows] == [
            (400.4, 300, "SELL", 1),
            (400.6, 100, "BUY", 2),
        ]
        assert [row["time"] for row in rows] == ["2026-03-10 10:00:00.000", "2026-03-10 10:00:01.500"]
        assert {(row["type"], row["push_data_type"]) for row in rows} == {("AUTO_MATCH", "REALTIME")}
        result, asked = context.get_rt_ticker("HK.00700", 1)
        assert (result, settled_rows(asked)[0]["sequence"]) == (0, 2)


def test_a_book_is_read_whole(futu_contexts: FutuContexts) -> None:
    with served_market() as market:
        context = futu_contexts.quote(market.port)
        heard = heard_by(context, futu_contexts.futu.OrderBookHandlerBase)
        for step in range(12):
            market.order(Side.BUY, f"{399.8 - step * 0.2:.1f}", 100 * (step + 1))
        context.subscribe(["HK.00700"], ["ORDER_BOOK"], is_first_push=False)
        market.order(Side.BUY, "399.8", 400)
        market.order(Side.SELL, "400.0", 700)
        wait_until(lambda: bool(heard) and len(heard[-1][1]["Ask"]) == 1)
        book = heard[-1][1]
        assert (book["code"], book["name"], len(book["Bid"])) == ("HK.00700", "TENCENT", 10)
        assert book["Bid"][:2] == [(399.8, 500, 2, {}), (399.6, 200, 1, {})]
        assert book["Ask"] == [(400.0, 700, 1, {})]
        assert book["svr_recv_time_bid"] == "2026-03-10 10:00:00.000"
        result, asked = context.get_order_book("HK.00700", 3)
        assert (result, asked["Bid"], asked["Ask"]) == (0, book["Bid"][:3], book["Ask"])


def test_a_forming_bar_is_read_again_under_its_end(futu_contexts: FutuContexts) -> None:
    with served_market() as market:
        context = futu_contexts.quote(market.port)
        heard = heard_by(context, futu_contexts.futu.CurKlineHandlerBase)
        context.subscribe(["HK.00700"], ["K_1M", "K_DAY"], is_first_push=False)
        for price in ("400.0", "400.4"):
            market.trade(price, 100)
        market.wait(60)
        market.trade("400.2", 100)
        wait_until(lambda: len(heard) == 6)
        rows = [settled_rows(frame)[0] for _, frame in heard]
        assert [(row["time_key"], row["close"], row["volume"]) for row in rows if row["k_type"] == "K_1M"] == [
            ("2026-03-10 10:01:00", 400.0, 100),
            ("2026-03-10 10:01:00", 400.4, 200),
            ("2026-03-10 10:02:00", 400.2, 100),
        ]
        assert {row["time_key"] for row in rows if row["k_type"] == "K_DAY"} == {"2026-03-10 00:00:00"}
        result, asked = context.get_cur_kline("HK.00700", 2, "K_1M")
        assert (result, [row["time_key"][11:] for row in settled_rows(asked)]) == (0, ["10:01:00", "10:02:00"])


def test_server_and_client_hold_the_same_belief_of_how_bars_are_stamped() -> None:
    """They share no code; that both read the same is looked at here alone."""
    assert BARS_STAMPED_AT_END is STAMPED_AT_THEIR_END


def test_history_is_read_page_by_page_and_all_at_once(futu_contexts: FutuContexts) -> None:
    with served_market(limits=False) as market:
        context = futu_contexts.quote(market.port)
        for _ in range(5):
            market.trade("400.0", 100)
            market.wait(60)
        asked = {"start": "2026-03-10", "end": "2026-03-10", "ktype": "K_1M", "autype": None}
        sizes, key = [], None
        for _ in range(3):
            result, rows, key = context.request_history_kline("HK.00700", max_count=2, page_req_key=key, **asked)
            sizes.append((result, len(rows), key is None))
        assert sizes == [(0, 2, False), (0, 2, False), (0, 1, True)]
        result, rows, key = context.request_history_kline("HK.00700", max_count=None, **asked)
        assert (result, list(rows["time_key"].str[11:]), key) == (
            0, ["10:01:00", "10:02:00", "10:03:00", "10:04:00", "10:05:00"], None,
        )  # fmt: skip
        result, rows, _ = context.request_history_kline("HK.00700", fields=["1", "4"], **asked)
        assert set(rows.columns) >= {"time_key"}


def test_static_information_snapshots_and_trading_days_are_read(futu_contexts: FutuContexts) -> None:
    with served_market() as market:
        context = futu_contexts.quote(market.port)
        market.trade("401.0", 100)
        result, rows = context.get_stock_basicinfo("HK", "STOCK")
        [row] = settled_rows(rows)
        assert (result, row["code"], row["lot_size"], row["listing_date"], row["exchange_type"], row["delisting"]) == (
            0, "HK.00700", 100, "2004-06-16", "HK_MAINBOARD", False,
        )  # fmt: skip
        result, rows = context.get_stock_basicinfo("HK", "STOCK", ["US.AAPL", "HK.00700"])
        assert (result, {row["code"]: row["lot_size"] for row in settled_rows(rows)}) == (
            0, {"US.AAPL": 1, "HK.00700": 100},
        )  # fmt: skip
        result, rows = context.get_market_snapshot(["US.AAPL", "HK.00700"])
        assert (result, [(row["last_price"], row["lot_size"]) for row in settled_rows(rows)]) == (
            0, [(200.0, 1), (401.0, 100)],
        )  # fmt: skip
        result, days = context.request_trading_days("HK", "2026-02-16", "2026-02-20")
        assert (result, days) == (
            0,
            [{"time": "2026-02-16", "trade_date_type": "MORNING"}, {"time": "2026-02-20", "trade_date_type": "WHOLE"}],
        )


def test_subscriptions_are_counted_and_ended_as_the_sdk_asks(futu_contexts: FutuContexts) -> None:
    with served_market() as market:
        context = futu_contexts.quote(market.port)
        context.subscribe(["HK.00700", "US.AAPL"], ["QUOTE", "TICKER"])
        result, info = context.query_subscription()
        assert (result, info["total_used"], info["remain"], info["own_used"]) == (0, 4, 296, 4)
        result, text = context.unsubscribe(["HK.00700"], ["QUOTE"])
        assert (result, "after at least one minute" in text) == (-1, True)
        market.wait(60)
        assert context.unsubscribe(["HK.00700"], ["QUOTE"]) == (0, None)
        assert context.query_subscription()[1]["total_used"] == 3
        assert context.unsubscribe_all() == (0, None)
        assert context.query_subscription()[1]["total_used"] == 0


def test_refusals_reach_the_caller_as_text(futu_contexts: FutuContexts) -> None:
    with served_market() as market:
        context = futu_contexts.quote(market.port)
        assert context.subscribe(["HK.99999"], ["QUOTE"]) == (-1, "Unknown stock 99999")
        assert context.get_stock_quote(["HK.00700"]) == (
            -1, "Before requesting this interface, please subscribe to the Basic data first",
        )  # fmt: skip
        assert context.request_history_kline("HK.99999")[:2] == (-1, "Unknown stock 99999")
        result, text = context.subscribe(["HK.00700"], ["BROKER"])
        assert (result, text.startswith("Data type 14 cannot be subscribed here")) == (-1, True)


def test_after_hours_of_new_york_are_read_where_they_were_asked_for(futu_contexts: FutuContexts) -> None:
    with served_market(local("America/New_York", "2026-03-10 17:00:00")) as market:
        context = futu_contexts.quote(market.port)
        tickers = heard_by(context, futu_contexts.futu.TickerHandlerBase)
        quotes = heard_by(context, futu_contexts.futu.StockQuoteHandlerBase)
        context.subscribe(["US.AAPL"], ["TICKER", "QUOTE"], is_first_push=False, extended_time=True)
        market.trade("206.5", 10, name=US)
        wait_until(lambda: bool(tickers) and bool(quotes))
        assert settled_rows(tickers[0][1])[0]["type"] == "T"
        row = settled_rows(quotes[0][1])[0]
        assert (row["last_price"], row["after_price"], row["after_volume"], row["pre_price"]) == (
            200.0,
            206.5,
            10,
            "N/A",
        )


def test_the_sdk_subscribes_again_after_the_server_came_back(futu_contexts: FutuContexts) -> None:
    with served_market() as market:
        context = futu_contexts.quote(market.port)
        heard = heard_by(context, futu_contexts.futu.TickerHandlerBase)
        context.subscribe(["HK.00700"], ["TICKER"], is_first_push=False)
        market.server.restart()
        wait_until(lambda: context.query_subscription()[1]["total_used"] == 1)
        market.trade("400.4", 100)
        wait_until(lambda: bool(heard))
        assert settled_rows(heard[-1][1])[0]["price"] == 400.4


def test_quote_rights_and_quotas_are_told_and_kept(futu_contexts: FutuContexts) -> None:
    quotes = QuoteSettings(rights={1: "LV1"}, subscription_quota=1, history_quota=2)
    with served_futu(futu=FutuSettings(quotes=quotes)) as server:
        context = futu_contexts.quote(futu_port(server))
        info = context.get_user_info()[1]
        assert (info["hk_qot_right"], info["us_qot_right"], info["sub_quota"], info["history_kl_quota"]) == (
            "LV1", "NO", 1, 2,
        )  # fmt: skip
        assert context.subscribe(["US.AAPL"], ["QUOTE"]) == (-1, "No right to subscribe AAPL")
        assert context.subscribe(["HK.00700"], ["QUOTE", "TICKER"]) == (
            -1, "Insufficient subscription quota: 2 needed, 1 left",
        )  # fmt: skip


def test_a_living_market_is_told_without_a_gap(futu_contexts: FutuContexts) -> None:
    with served_futu(agents=10) as server:
        context = futu_contexts.quote(futu_port(server))
        books = hear_pushes(context, futu_contexts.futu.OrderBookHandlerBase)
        tickers = hear_pushes(context, futu_contexts.futu.TickerHandlerBase)
        bars = hear_pushes(context, futu_contexts.futu.CurKlineHandlerBase)
        hear_pushes(context, futu_contexts.futu.StockQuoteHandlerBase)  # the SDK's own takes milliseconds for each
        assert context.subscribe(["HK.00700", "US.AAPL"], ["ORDER_BOOK", "TICKER", "K_1M", "QUOTE"]) == (0, None)
        wait_until(lambda: len(books) > 50 and len(tickers) > 20 and len(bars) > 20, 30.0)
        for code in ("00700", "AAPL"):
            told = [one.s2c for one in list(tickers) if one.s2c.security.code == code]
            numbers = [row.sequence for s2c in told for row in s2c.tickerList]
            assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))
        for book in (one.s2c for one in list(books)):
            bids, asks = [row.price for row in book.orderBookBidList], [row.price for row in book.orderBookAskList]
            assert (bids, asks) == (sorted(bids, reverse=True), sorted(asks))
            assert not bids or not asks or bids[0] < asks[0]
            assert all(
                row.volume > 0 and row.orederCount > 0 for row in (*book.orderBookBidList, *book.orderBookAskList)
            )
