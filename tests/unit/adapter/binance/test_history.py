"""Past bars: the last closed ones up to a time, never the open one; pages that can be gone on with."""

import msgspec
import pytest

from foxtrot.adapter.binance.history import History
from foxtrot.core.notices import HistoryLoaded
from foxtrot.domain.enums import Product, Side
from foxtrot.domain.errors import BadMessage, ConfigError, RateLimited, VenueRejected
from foxtrot.domain.market import BarData, MarketTrade
from foxtrot.domain.subscription import HistoryRequest
from tests.support.scripted_binance import START_MS, Params, ScriptedSession, btcusdt, run

MINUTE = 60_000
NOW_MS = START_MS - START_MS % MINUTE + 30_000
"""Half a minute into a bar."""
MS = 1_000_000


def kline(open_ms: int, length_ms: int = MINUTE) -> list[object]:
    return [open_ms, "100", "110.5", "90", "105", "12.5", open_ms + length_ms - 1, "1250", 7, "6", "600", "0"]


class Candles:
    """A venue with a bar a minute, the open one included, from `first_ms` on."""

    def __init__(self, first_ms: int) -> None:
        self.first_ms = first_ms

    def klines(self, asked: Params) -> object:
        limit = int(asked["limit"])
        end = min(int(asked.get("endTime", NOW_MS)), NOW_MS)
        start = max(int(asked.get("startTime", self.first_ms)), self.first_ms)
        start += -start % MINUTE
        opens = range(start, end + 1, MINUTE)
        return [kline(o) for o in (opens[:limit] if "startTime" in asked else opens[-limit:])]


def scripted(first_ms: int = NOW_MS - 5_000 * MINUTE, product: Product = Product.SPOT) -> ScriptedSession:
    session = ScriptedSession(product, (btcusdt(product),))
    session.clock.move_to(START_MS * MS)
    session.clock.move_to(max(START_MS, NOW_MS) * MS)
    prefix = "public" if product is Product.SPOT else "fapiPublic"
    session.reply(f"{prefix}GetKlines", Candles(first_ms).klines)
    session.reply(f"{prefix}GetTime", {"serverTime": NOW_MS})
    return session


def ask(session: ScriptedSession, **changes: object) -> HistoryLoaded:
    name = next(iter(session.instruments))
    request = msgspec.structs.replace(HistoryRequest("h", name, "1m", 10, NOW_MS * MS), **changes)
    run(lambda: History(session.adapter, session).tell_history(request))  # type: ignore[arg-type]
    return session.heard.of(HistoryLoaded)[-1]


def test_the_last_closed_bars_come_oldest_first_without_the_open_one() -> None:
    answer = ask(scripted(), end_ns=(NOW_MS + 10**9) * MS)
    assert (answer.request_id, answer.error, len(answer.bars)) == ("h", "", 10)
    last = answer.bars[-1]
    assert last.close_time_ns == (NOW_MS - 30_000) * MS
    assert [b.open_time_ns - a.open_time_ns for a, b in zip(answer.bars, answer.bars[1:], strict=False)] == [
        MINUTE * MS
    ] * 9
    assert last == BarData(
        "BTCUSDT.BINANCE", "1m", (NOW_MS - 90_000) * MS, (NOW_MS - 30_000) * MS, 100.0, 110.5, 90.0, 105.0, 12.5, 1250.0, 7,
        last.local_time_ns,
    )  # fmt: skip


def test_a_bar_that_the_venues_clock_has_not_closed_is_not_among_them() -> None:
    session = scripted()
    session.reply("publicGetTime", {"serverTime": NOW_MS - 30_001})
    answer = ask(session)
    assert answer.bars[-1].close_time_ns == (NOW_MS - 90_000) * MS
    assert len(answer.bars) == 10


def test_an_end_in_the_past_is_the_end_and_asks_for_no_clock() -> None:
    session = scripted()
    end_ns = (NOW_MS - 30_000 - 150_000) * MS
    answer = ask(session, end_ns=end_ns, count=2)
    assert [bar.close_time_ns for bar in answer.bars] == [end_ns - 90_000 * MS, end_ns - 30_000 * MS]
    assert session.asked("publicGetTime") == []


@pytest.mark.parametrize(("product", "page"), [(Product.SPOT, 1_000), (Product.PERPETUAL, 1_500)])
def test_many_bars_are_asked_for_in_pages_from_the_end_backwards(product: Product, page: int) -> None:
    session = scripted(product=product)
    answer = ask(session, count=3_200)
    assert len(answer.bars) == 3_200
    opens = [bar.open_time_ns for bar in answer.bars]
    assert opens == sorted(set(opens))
    limits = [call["limit"] for name, call in session.calls if name.endswith("GetKlines")]
    assert limits == [str(page)] * (3_200 // page) + [str(3_200 % page)]


def test_fewer_bars_than_asked_for_are_all_there_are() -> None:
    assert len(ask(scripted(NOW_MS - 30_000 - 7 * MINUTE), count=100).bars) == 7


@pytest.mark.parametrize(
    "changes",
    [
        {"instrument_id": "NOPE.BINANCE"},
        {"interval": "7q"},
        {"interval": "7m"},
        {"interval": "100t"},
        {"interval": "7d"},
        {"count": 0},
        {"count": -1},
        {"count": 1.5},
    ],
)
def test_what_cannot_be_had_is_an_error(changes: dict[str, object]) -> None:
    answer = ask(scripted(), **changes)
    assert answer.bars == ()
    assert answer.error


def test_an_interval_may_be_written_in_another_unit() -> None:
    session = scripted()
    ask(session, interval="60m")
    assert session.asked("publicGetKlines")[0]["interval"] == "1h"


def test_seconds_are_of_spot_only() -> None:
    assert ask(scripted(), interval="1s", count=1).error == ""
    assert "no bars of 1s" in ask(scripted(product=Product.PERPETUAL), interval="1s").error


@pytest.mark.parametrize(
    "answer", [VenueRejected("binance", "-1121", "Invalid symbol."), None, [["x"]], [kline(1)[:5]]]
)
def test_what_the_venue_does_wrong_is_an_error_too(answer: object) -> None:
    session = scripted()
    session.reply("publicGetKlines", answer)
    assert ask(session).error


def test_pages_go_forward_wait_for_a_rate_limit_and_can_be_gone_on_with() -> None:
    session = scripted()
    session.reply("publicGetKlines", RateLimited("binance", "429", "slow down", 7.0), Candles(0).klines)
    history = History(session.adapter, session)  # type: ignore[arg-type]
    start_ns = (NOW_MS - 30_000 - 2_500 * MINUTE) * MS
    pages: list[tuple[BarData, ...]] = []

    async def read(since_ns: int, most: int) -> None:
        async for page in history.pages("BTCUSDT.BINANCE", "1m", since_ns, NOW_MS * MS):
            pages.append(page)
            if len(pages) == most:
                return

    async def story() -> None:
        reading = session.spawn(read(start_ns, 1), "first page")
        await session.settle()
        assert pages == []
        await session.advance(8)
        await reading
        going_on = session.spawn(read(pages[-1][-1].close_time_ns, 9), "the rest")
        await session.advance(2)
        await going_on

    run(story)
    bars = [bar for page in pages for bar in page]
    assert [len(page) for page in pages] == [1_000, 1_000, 500]
    assert [bar.open_time_ns for bar in bars] == [start_ns + n * MINUTE * MS for n in range(2_500)]


def test_pages_of_an_unknown_instrument_are_refused() -> None:
    async def story() -> None:
        history = History(scripted().adapter, scripted())  # type: ignore[arg-type]
        with pytest.raises(ConfigError):
            await anext(history.pages("NOPE.BINANCE", "1m", 0, 1))

    run(story)


def test_prints_are_read_by_their_ids_up_to_the_end() -> None:
    session = scripted()
    rows = [{"a": n, "p": "100", "q": "0.5", "T": START_MS + n, "m": n % 2 == 0} for n in range(2_500)]

    def prints(asked: Params) -> object:
        first = int(asked["fromId"]) if "fromId" in asked else int(asked["startTime"]) - START_MS
        return rows[first : first + int(asked["limit"])]

    session.reply("publicGetAggTrades", prints)
    found: list[MarketTrade] = []

    async def read() -> None:
        history = History(session.adapter, session)  # type: ignore[arg-type]
        async for page in history.trade_pages("BTCUSDT.BINANCE", (START_MS + 10) * MS, (START_MS + 2_400) * MS):
            found.extend(page)

    async def story() -> None:
        reading = session.spawn(read(), "prints")
        await session.advance(2)
        await reading

    run(story)
    assert [int(trade.trade_id) for trade in found] == list(range(10, 2_401))
    assert (found[0].aggressor, found[1].aggressor) == (Side.SELL, Side.BUY)


def test_prints_that_are_none_are_a_bad_message() -> None:
    session = scripted()
    session.reply("publicGetAggTrades", [{"a": 1, "p": "0", "q": "1", "T": 1, "m": True}])

    async def story() -> None:
        history = History(session.adapter, session)  # type: ignore[arg-type]
        with pytest.raises(BadMessage):
            await anext(history.trade_pages("BTCUSDT.BINANCE", 0, 1))

    run(story)
