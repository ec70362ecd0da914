"""Trades, quotes and captures made for tests, and one run of a scripted strategy over them."""

import json
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path

import numpy as np

from foxtrot.backtest.columns import QuoteColumns, TradeColumns
from foxtrot.backtest.depth_capture import DepthCapture, read_depth
from foxtrot.backtest.runner import Backtest, BacktestResult, instrument_for
from foxtrot.backtest.settings import BacktestSettings, InstrumentTerms
from foxtrot.domain.enums import Product
from foxtrot.strategy.base import Strategy
from tests.unit.backtest.scripted import NAME, T0, settings_of

SECOND_NS = 1_000_000_000


def trades_of(*rows: tuple[float, float, float, int], name: str = NAME) -> TradeColumns:
    """Prints from rows of second, price, size, aggressor (+1, -1 or 0)."""
    seconds, price, size, side = (np.array(column) for column in zip(*rows, strict=True))
    return TradeColumns(
        instrument_id=name, time_ns=T0 + (seconds * SECOND_NS).astype(np.int64), price=price.astype(np.float64),
        size=size.astype(np.float64), side=side.astype(np.int8), id=np.arange(len(rows)), price_decimals=2,
        quantity_decimals=3,
    )  # fmt: skip


def quotes_of(*rows: tuple[float, float, float, float, float], name: str = NAME) -> QuoteColumns:
    """Quotes from rows of second, bid, bid size, ask, ask size."""
    seconds, bid, bid_size, ask, ask_size = (np.array(column, dtype=np.float64) for column in zip(*rows, strict=True))
    return QuoteColumns(
        instrument_id=name, time_ns=T0 + (seconds * SECOND_NS).astype(np.int64), bid=bid, ask=ask, bid_size=bid_size,
        ask_size=ask_size, price_decimals=2, quantity_decimals=3,
    )  # fmt: skip


def run_ticks(
    strategy: type[Strategy], *, product: Product = Product.PERPETUAL, **settings: object
) -> tuple[BacktestResult, Strategy]:
    """Run a strategy over trades, quotes, depth, bars."""
    history = [part for kind in ("bars", "trades", "quotes", "depth") for part in settings.get(kind, ())]  # type: ignore[attr-defined]
    names = list(dict.fromkeys(part.instrument_id for part in history))
    terms = InstrumentTerms(product=product, tick=Decimal("0.01"), lot=Decimal("0.001"))
    instruments = tuple(
        instrument_for(next(part for part in history if part.instrument_id == name), terms) for name in names
    )
    backtest = Backtest(
        BacktestSettings(
            strategies=((settings_of(strategy, *names), strategy),),
            instruments=instruments,
            **settings,  # type: ignore[arg-type]
        )
    )
    result = backtest.run()
    assert result.failures == ()
    return result, backtest.line.strategies.hosts["test"].strategy


Levels = Sequence[tuple[float, float]]


class CaptureFile:
    """Writes a raw spot capture; times are milliseconds after T0, at the venue and, by default 2 ms later, here."""

    def __init__(self, folder: Path, skew_ms: int = 0) -> None:
        self._path = folder / "capture.txt"
        self._skew_ms = skew_ms
        self._rows: list[tuple[int, str]] = []
        self._last_id = 100

    def snapshot(self, bids: Levels, asks: Levels, ms: int = 0) -> None:
        """The REST answer, which names no time."""
        self._add(ms, {"lastUpdateId": self._last_id, "bids": texts(bids), "asks": texts(asks)})

    def depth(self, ms: int, bids: Levels = (), asks: Levels = (), *, lag_ms: int = 2, skip: int = 0) -> None:
        """A change that follows the last one, unless some ids are skipped."""
        first = self._last_id + 1 + skip
        self._last_id = first
        data = {"e": "depthUpdate", "E": T0 // 10**6 + ms, "s": "BTCUSDT", "U": first, "u": first}
        self._add(ms + lag_ms, {"stream": "btcusdt@depth", "data": {**data, "b": texts(bids), "a": texts(asks)}})

    def trade(self, ms: int, price: float, size: float, *, buyer_made: bool, lag_ms: int = 2) -> None:
        """A print."""
        data = {"e": "trade", "E": T0 // 10**6 + ms, "T": T0 // 10**6 + ms, "s": "BTCUSDT", "t": len(self._rows)}
        terms = {"p": str(price), "q": str(size), "m": buyer_made}
        self._add(ms + lag_ms, {"stream": "btcusdt@trade", "data": {**data, **terms}})

    def ticker(self, ms: int, bid: tuple[float, float], ask: tuple[float, float]) -> None:
        """A best bid and ask, which names no time."""
        data = {
            "u": self._last_id,
            "s": "BTCUSDT",
            "b": str(bid[0]),
            "B": str(bid[1]),
            "a": str(ask[0]),
            "A": str(ask[1]),
        }
        self._add(ms, {"stream": "btcusdt@bookTicker", "data": data})

    def read(self) -> DepthCapture:
        """Write what was added in the order it was received, and read it back."""
        rows = sorted(self._rows, key=lambda row: row[0])
        self._path.write_text("".join(f"{received} {frame}\n" for received, frame in rows))
        return read_depth(self._path, instrument_id=NAME)

    def _add(self, received_ms: int, frame: dict[str, object]) -> None:
        self._rows.append((T0 + (received_ms + self._skew_ms) * 10**6, json.dumps(frame)))


def texts(levels: Levels) -> list[list[str]]:
    return [[str(price), str(size)] for price, size in levels]
