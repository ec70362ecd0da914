"""Books rebuilt by a DepthCache from recorded captures equal the venue's own best bid and ask."""

from bisect import bisect_right
from pathlib import Path

import msgspec
import pytest

from foxtrot.adapter.binance.archive import read_capture, read_frames
from foxtrot.adapter.binance.codec import MarketCodec
from foxtrot.books.depth_book import DepthBook
from foxtrot.books.depth_cache import DepthCache
from foxtrot.books.sequence import ContiguousIds, PreviousId, SequenceRule
from foxtrot.domain.enums import BookState, Product
from foxtrot.domain.errors import BookOutOfSync
from foxtrot.domain.instrument import Grid, Instrument
from foxtrot.domain.market import DepthChange, DepthData, Level, TickData

EVERY = 5


class Ticker(msgspec.Struct):
    """The update id of a bookTicker, which a TickData does not carry."""

    data: "TickerData"


class TickerData(msgspec.Struct):
    """The inner part."""

    u: int


TICKER = msgspec.json.Decoder(Ticker)


def instrument(product: Product, tick: str, lot: str) -> Instrument:
    codec = MarketCodec(product)
    return Instrument(
        instrument_id=codec.instrument_id("BTCUSDT"),
        symbol="BTCUSDT",
        venue=codec.venue,
        product=product,
        base_asset="BTC",
        quote_asset="USDT",
        settle_asset="USDT",
        price_grid=Grid.of(tick),
        quantity_grid=Grid.of(lot),
    )


class Replay:
    """Feeds a cache from captures, keeps the book's top after every fifth change, and the recorded tickers by update id."""

    def __init__(self, instrument: Instrument, rule: SequenceRule, codec: MarketCodec) -> None:
        self.instrument = instrument
        self.codec = codec
        self.cache = DepthCache(lambda _book: None)
        self.book = self.cache.open(instrument, rule)
        self.changes = 0
        self.tops: list[tuple[int, tuple[Level, Level]]] = []
        self.ticker_ids: list[int] = []
        self.tickers: list[tuple[Level, Level]] = []
        self.book.begin()

    def read(self, file: Path) -> None:
        for received, frame in read_frames(file):
            fact = self.codec.decode(frame, received, "BTCUSDT")
            if isinstance(fact, DepthChange):
                self.change(fact)
            elif isinstance(fact, DepthData):
                assert self.book.load(fact, self.book.generation, limit=1_000)
            elif isinstance(fact, TickData):
                self.ticker_ids.append(TICKER.decode(frame).data.u)
                self.tickers.append(((fact.bid_price, fact.bid_size), (fact.ask_price, fact.ask_size)))

    def change(self, change: DepthChange) -> None:
        if not self.book.apply(change):
            return
        view = self.cache.latest(self.instrument.instrument_id)
        assert view is not None
        assert view.state is BookState.LIVE
        self.changes += 1
        if self.changes % EVERY == 0:
            price, size = self.instrument.price_grid.to_float, self.instrument.quantity_grid.to_float
            (bid, ask) = view.bids[0], view.asks[0]
            self.tops.append((view.update_id, ((price(bid[0]), size(bid[1])), (price(ask[0]), size(ask[1])))))

    def equal(self) -> int:
        """Count the samples that equal the last ticker whose id is not above theirs."""
        return sum(self.tickers[bisect_right(self.ticker_ids, last_id) - 1] == top for last_id, top in self.tops)


@pytest.mark.parametrize(
    ("product", "rule", "grids", "names", "expected"),
    [
        (
            Product.SPOT,
            ContiguousIds(),
            ("0.01", "0.00000001"),
            ("spot_btcusdt_20240808.gz", "spot_btcusdt_20240809.gz"),
            1_298,
        ),
        (Product.PERPETUAL, PreviousId(), ("0.1", "0.001"), ("usdm_btcusdt_20240808.gz",), 1_309),
    ],
)
def test_the_rebuilt_book_equals_the_recorded_ticker_at_every_sampled_id(
    data_dir: Path,
    product: Product,
    rule: SequenceRule,
    grids: tuple[str, str],
    names: tuple[str, ...],
    expected: int,
) -> None:
    replay = Replay(instrument(product, *grids), rule, MarketCodec(product))
    for name in names:
        replay.read(data_dir / "binance" / name)
    assert len(replay.tops) == expected
    assert replay.equal() == expected
    counters = replay.book.counters
    print(f"{replay.equal():,} of {expected:,} equal; {counters}")
    assert (counters.gaps, counters.off_grid, counters.snapshots) == (0, 0, 1)


def test_a_withheld_change_is_found(data_dir: Path) -> None:
    book = DepthBook(instrument(Product.SPOT, "0.01", "0.00000001"), ContiguousIds())
    facts = list(read_capture(data_dir / "binance" / "spot_btcusdt_20240808.gz", MarketCodec(Product.SPOT)))
    changes = [fact for fact in facts if isinstance(fact, DepthChange)]
    (snapshot,) = [fact for fact in facts if isinstance(fact, DepthData)]
    book.load(snapshot)
    for change in changes[:100]:
        book.apply(change)
    with pytest.raises(BookOutOfSync, match="does not follow"):
        book.apply(changes[101])
