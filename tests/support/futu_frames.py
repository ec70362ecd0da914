"""Quote messages of FutuOpenD made by hand with the SDK's own protobuf classes, and the golden files of some of them.

`python -m tests.support.futu_frames` writes the files anew.
"""

from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

from tests.support.futu_sdk import import_futu

FOLDER = Path(__file__).parents[1] / "unit" / "adapter" / "futu" / "frames"
HK, US = (1, "00700"), (11, "AAPL")
Rows = Iterable[tuple[float, int]]


def message(name: str, kind: str = "Response") -> Any:
    """Return an empty message of one of the SDK's generated modules."""
    import_futu()
    return getattr(import_module(f"futu.common.pb.{name}_pb2"), kind)()


def _push(name: str, security: tuple[int, str]) -> Any:
    response = message(name)
    response.retType = 0
    response.s2c.security.market, response.s2c.security.code = security
    return response


def ticker_rows(container: Any, rows: Iterable[dict[str, Any]]) -> None:
    """Add prints to a repeated field."""
    for row in rows:
        known = {"time": "2026-03-10 10:00:05.120", "dir": 1, "price": 400.2, "volume": 100, "turnover": 40_020.0}
        container.add(**(known | row))


def ticker(security: tuple[int, str], *rows: dict[str, Any]) -> Any:
    """A push of prints."""
    response = _push("Qot_UpdateTicker", security)
    ticker_rows(response.s2c.tickerList, rows)
    return response


def fill_book(s2c: Any, bids: Rows, asks: Rows, **more: Any) -> Any:
    """Put levels into an order book."""
    for container, rows in ((s2c.orderBookBidList, bids), (s2c.orderBookAskList, asks)):
        for price, volume in rows:
            container.add(price=price, volume=volume, orederCount=1)
    for name, value in more.items():
        setattr(s2c, name, value)
    return s2c


def order_book(security: tuple[int, str], bids: Rows, asks: Rows, **more: Any) -> Any:
    """A push of an order book."""
    response = _push("Qot_UpdateOrderBook", security)
    fill_book(response.s2c, bids, asks, **more)
    return response


def basic_quote(security: tuple[int, str], **more: Any) -> Any:
    """A push of one basic quote."""
    response = message("Qot_UpdateBasicQot")
    response.retType = 0
    basic = response.s2c.basicQotList.add(
        isSuspended=False, listTime="2004-06-16", priceSpread=0.2, updateTime="2026-03-10 10:00:05", highPrice=405.4,
        openPrice=399.0, lowPrice=398.6, curPrice=400.2, lastClosePrice=397.8, volume=1_234_500, turnover=4.9e8,
        turnoverRate=0.1, amplitude=1.2,
    )  # fmt: skip
    basic.security.market, basic.security.code = security
    for name, value in more.items():
        setattr(basic, name, value)
    return response


def kline_rows(container: Any, rows: Iterable[tuple[str, float, int]]) -> None:
    """Add K-lines of a time, a price and a volume to a repeated field."""
    for time, price, volume in rows:
        container.add(
            time=time, isBlank=False, openPrice=price, highPrice=price + 0.4, lowPrice=price - 0.2,
            closePrice=price + 0.2, volume=volume, turnover=price * volume,
        )  # fmt: skip


def klines(security: tuple[int, str], *rows: tuple[str, float, int], number: int = 1) -> Any:
    """A push of K-lines."""
    response = _push("Qot_UpdateKL", security)
    response.s2c.rehabType, response.s2c.klType = 0, number
    kline_rows(response.s2c.klList, rows)
    return response


def ten_levels(best_bid: float, best_ask: float, step: float) -> tuple[Rows, Rows]:
    """Ten levels a side."""
    bids = [(round(best_bid - number * step, 3), 100 * (number + 1)) for number in range(10)]
    asks = [(round(best_ask + number * step, 3), 200 * (number + 1)) for number in range(10)]
    return bids, asks


def golden() -> dict[str, Any]:
    """The messages of the golden files, by name."""
    parts = {"sequence": 3, "dir": 2, "price": 200.055, "volume": 0, "hpVolume": 0.5, "turnover": 100.0275}
    return {
        "ticker_hk": ticker(
            HK,
            {"sequence": 6_797_230_987_398_480_801, "timestamp": 1773108005.12},
            {"sequence": 6_797_230_987_398_480_802, "dir": 2, "price": 400.0, "volume": 300},
            {"sequence": 6_797_230_987_398_480_803, "dir": 3, "price": 400.0, "volume": 200},
        ),
        "ticker_us_part_of_a_share": ticker(US, parts | {"time": "2026-03-09 09:31:00"}),
        "order_book_hk": order_book(
            HK, *ten_levels(400.0, 400.2, 0.2), svrRecvTimeBid="2026-03-10 10:00:05.118",
            svrRecvTimeBidTimestamp=1773108005.118, svrRecvTimeAsk="2026-03-10 10:00:05.119",
            svrRecvTimeAskTimestamp=1773108005.119,
        ),
        "order_book_us": order_book(US, [(200.05, 40)], [(200.06, 3)]),
        "order_book_crossed": order_book(HK, [(401.0, 100)], [(400.0, 100)]),
        "order_book_empty": order_book(HK, [(0.0, 0)], []),
        "quote_hk": basic_quote(HK, updateTimestamp=1773108005.5),
        "quote_us_without_a_trade": basic_quote(US, updateTime="", curPrice=0.0, openPrice=0.0, volume=0, turnover=0.0),
        "klines_hk": klines(HK, ("2026-03-10 10:00:00", 399.8, 5_000), ("2026-03-10 10:01:00", 400.2, 1_200)),
    }  # fmt: skip


def read(name: str) -> Any:
    """Read a golden file."""
    modules = {"ticker": "Qot_UpdateTicker", "order": "Qot_UpdateOrderBook", "quote": "Qot_UpdateBasicQot"}
    response = message(modules.get(name.partition("_")[0], "Qot_UpdateKL"))
    response.ParseFromString((FOLDER / f"{name}.bin").read_bytes())
    return response


if __name__ == "__main__":
    for label, made in golden().items():
        (FOLDER / f"{label}.bin").write_bytes(made.SerializeToString(deterministic=True))
