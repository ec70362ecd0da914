"""Books of several venues, rebuilt by a DepthCache from recorded captures, against what the venues said beside them."""

from bisect import bisect_right
from pathlib import Path

import msgspec
import pytest

from foxtrot.adapter.binance.codec import MarketCodec
from foxtrot.books.cached_book import BookCounters, BookView, CachedBook
from foxtrot.books.checksums import Checksum, digits_crc32
from foxtrot.books.depth_cache import DepthCache
from foxtrot.books.sequence import ContiguousIds, NonceChain, PreviousId, SequenceRule, StreamOrder
from foxtrot.domain.enums import BookState, Product
from foxtrot.domain.market import DepthChange, DepthData, Level, TickData
from tests.support.captures import Line, Quote, coinbase_fact, instrument_of, kraken_fact, lighter_fact, read_lines


class Scene:
    """A cache whose books are opened as their snapshots tell how prices are printed."""

    def __init__(self) -> None:
        self.cache = DepthCache(lambda _book: None)
        self.states: set[BookState] = set()

    def open(self, name: str, rule: SequenceRule, price: str, size: str, window: int = 0) -> CachedBook:
        book = self.cache.open(instrument_of(name, price, size), rule, window)
        self.cache.listen(name, lambda view: self.states.add(view.state))
        book.begin()
        return book

    def view(self, name: str) -> BookView:
        view = self.cache.latest(name)
        assert view is not None
        return view

    def total(self) -> BookCounters:
        """Return the counters of all books together."""
        names = BookCounters.__struct_fields__
        return BookCounters(*[sum(getattr(one, name) for one in self.cache.counters().values()) for name in names])


# --- Binance ------------------------------------------------------------------------------------------------------------


class BinanceScene(Scene):
    """Several symbols of one connection, each with a snapshot by request, and tickers with ids."""

    def __init__(self, product: Product, rule: type[SequenceRule]) -> None:
        super().__init__()
        self.codec = MarketCodec(product)
        self.rule = rule
        self.tickers: dict[str, tuple[list[int], list[tuple[Level, Level]]]] = {}
        self.tops: list[tuple[str, int, tuple[Level, Level]]] = []
        self.waiting: list[DepthChange] = []

    def take(self, line: Line) -> None:
        if line.url:
            self._load(line)
            return
        fact = self.codec.decode(line.text.encode(), line.time_ns, "")
        if isinstance(fact, TickData):
            ids, quotes = self.tickers.setdefault(fact.instrument_id, ([], []))
            ids.append(msgspec.json.decode(line.text)["data"]["u"])
            quotes.append(((fact.bid_price, fact.bid_size), (fact.ask_price, fact.ask_size)))
        elif isinstance(fact, DepthChange):
            book = self.cache.book(fact.instrument_id) or self._open(fact.instrument_id)
            if book.apply(fact):
                self._note(book)

    def _open(self, name: str) -> CachedBook:
        return self.open(name, self.rule(), "0.00000001", "0.00000001")

    def _load(self, line: Line) -> None:
        symbol = line.url.partition("symbol=")[2].partition("&")[0]
        book = self.cache.book(self.codec.instrument_id(symbol)) or self._open(self.codec.instrument_id(symbol))
        snapshot = self.codec.snapshot(line.text.encode(), line.time_ns, symbol)
        assert book.load(snapshot, book.generation, limit=1_000), f"the snapshot of {symbol} does not bridge"
        self._note(book)

    def _note(self, book: CachedBook) -> None:
        top = book.book.depth(1)
        self.tops.append((book.instrument_id, top.update_id, (top.bids[0], top.asks[0])))

    def compared(self) -> tuple[int, int]:
        """Return how many tops equal the ticker of their id, or the last before it, of how many there are tickers for."""
        equal = found = 0
        for name, update_id, top in self.tops:
            ids, quotes = self.tickers.get(name, ([], []))
            place = bisect_right(ids, update_id) - 1
            if place >= 0:
                found += 1
                equal += quotes[place] == top
        return equal, found


@pytest.mark.parametrize(
    ("venue", "product", "rule", "symbols", "changes", "compared"),
    [
        ("BINANCE", Product.SPOT, ContiguousIds, 4, 177, 159),
        ("BINANCE_FUTURES", Product.PERPETUAL, PreviousId, 4, 764, 746),
    ],
)
def test_binance_books_of_several_symbols_have_no_gap_and_equal_the_tickers(
    data_dir: Path, venue: str, product: Product, rule: type[SequenceRule], symbols: int, changes: int, compared: int
) -> None:
    folder, scene = data_dir / "exchange_captures", BinanceScene(product, rule)
    files = (f"{venue}.http.0.0.gz", f"{venue}.ws.1.0.gz")
    for line in sorted([line for name in files for line in read_lines(folder / name)]):
        scene.take(line)
    total, (equal, found) = scene.total(), scene.compared()
    print(f"{venue}: {equal} of {found} tops equal the ticker; {total}")
    assert len(scene.cache.counters()) == symbols
    assert (total.changes, total.gaps, total.snapshots, total.crossings, total.off_grid) == (changes, 0, symbols, 0, 0)
    assert BookState.CROSSED not in scene.states
    assert (equal, found) == (compared, compared)


# --- Kraken -------------------------------------------------------------------------------------------------------------


def _decimals(text: str) -> int:
    return len(text.partition(".")[2])


def test_kraken_books_have_the_venues_checksum_after_every_change(data_dir: Path) -> None:
    scene = Scene()
    for number, line in enumerate(read_lines(data_dir / "exchange_captures" / "KRAKEN.ws.50.0.gz"), 1):
        found = kraken_fact(line.text, number)
        if found is None:
            continue
        pair, fact = found
        if isinstance(fact, DepthData):
            price, size, _ = msgspec.json.decode(line.text)[1]["as"][0]
            instrument = instrument_of(pair, price, size)
            rule = Checksum(StreamOrder(), digits_crc32(instrument, _decimals(price), _decimals(size)))
            assert scene.open(pair, rule, price, size, window=1_000).replace(fact, limit=1_000)
            continue
        book = scene.cache.book(pair)
        assert book is not None
        assert isinstance(fact, DepthChange)
        assert fact.checksum is not None
        assert book.apply(fact)
        assert book.state is BookState.LIVE
    total = scene.total()
    print(f"Kraken: {total.changes - total.checksum_failures:,} of {total.changes:,} checksums; {total}")
    assert (total.changes, total.replaced, total.checksum_failures, total.gaps) == (4_269, 10, 0, 0)
    assert BookState.CROSSED not in scene.states


def test_a_level_that_kraken_did_not_send_shows_in_the_checksum(data_dir: Path) -> None:
    scene = Scene()
    losses = 0
    for number, line in enumerate(read_lines(data_dir / "exchange_captures" / "KRAKEN.ws.50.0.gz"), 1):
        found = kraken_fact(line.text, number)
        if found is None or found[0] != "XMR/USD":
            continue
        fact = found[1]
        if isinstance(fact, DepthData):
            price, size, _ = msgspec.json.decode(line.text)[1]["as"][0]
            rule = Checksum(StreamOrder(), digits_crc32(instrument_of("XMR/USD", price, size), 8, 8))
            book = scene.open("XMR/USD", rule, price, size, window=1_000)
            book.replace(msgspec.structs.replace(fact, bids=fact.bids[:3] + fact.bids[4:]), limit=1_000)
        elif isinstance(fact, DepthChange):
            scene.cache.book("XMR/USD").apply(fact)  # type: ignore[union-attr]
            losses = scene.total().checksum_failures
            break
    assert losses == 1
    assert scene.view("XMR/USD").state is BookState.SYNCING


# --- Coinbase -----------------------------------------------------------------------------------------------------------


def test_coinbase_books_are_never_crossed_and_agree_with_the_tickers(data_dir: Path) -> None:
    """The first ticker of a product is sent on subscribing and tells of its last trade, which may be from before the snapshot."""
    scene, later = Scene(), set[str]()
    equal = quotes = equal_later = quotes_later = 0
    for number, line in enumerate(read_lines(data_dir / "exchange_captures" / "COINBASE.ws.28.0.gz"), 1):
        fact = coinbase_fact(line.text, number)
        if isinstance(fact, DepthData):
            assert scene.open(fact.instrument_id, StreamOrder(), "0.00000001", "0.00000001").replace(fact)
        elif isinstance(fact, DepthChange):
            book = scene.cache.book(fact.instrument_id)
            assert book is not None
            assert book.apply(fact)
        elif isinstance(fact, Quote) and scene.cache.book(fact.instrument_id) is not None:
            view, price = scene.view(fact.instrument_id), instrument_of("X", "0.00000001", "1").price_grid
            best = price.from_decimal(fact.bid), price.from_decimal(fact.ask)
            quotes, equal = quotes + 1, equal + ((view.bids[0][0], view.asks[0][0]) == best)
            if fact.instrument_id in later:
                quotes_later, equal_later = quotes_later + 1, equal_later + ((view.bids[0][0], view.asks[0][0]) == best)
            later.add(fact.instrument_id)
    total = scene.total()
    print(
        f"Coinbase: {equal} of {quotes} tickers have the book's best bid and ask, {equal_later} of {quotes_later} after the first; {total}"
    )
    assert (total.changes, total.replaced, total.gaps, total.crossings) == (9_719, 10, 0, 0)
    assert scene.states == {BookState.SYNCING, BookState.LIVE}
    assert (equal, quotes, equal_later, quotes_later) == (100, 107, 97, 97)


# --- Lighter ------------------------------------------------------------------------------------------------------------


def lighter_facts(data_dir: Path) -> list[DepthData | DepthChange]:
    texts = (data_dir / "lighter" / "ws_crv_book.jsonl").read_text().splitlines()
    return [fact for fact in map(lighter_fact, texts) if fact is not None]


def test_lighters_chain_of_nonces_holds_and_a_missing_link_is_found(data_dir: Path) -> None:
    first, *changes = lighter_facts(data_dir)
    assert isinstance(first, DepthData)
    scene = Scene()
    book = scene.open("CRV", NonceChain(), "0.00001", "0.1")
    assert book.replace(first)
    assert (len(first.bids), len(first.asks), len(changes)) == (39, 40, 6)
    for change in changes:
        assert isinstance(change, DepthChange)
        assert book.apply(change)
    assert scene.view("CRV").update_id == 18_032_384_785
    assert (scene.states, book.counters.gaps) == ({BookState.SYNCING, BookState.LIVE}, 0)
    assert book.replace(msgspec.structs.replace(first, venue_time_ns=changes[-1].venue_time_ns + 1))
    assert not book.apply(changes[1])  # type: ignore[arg-type]
    assert (scene.view("CRV").state, book.counters.gaps) == (BookState.SYNCING, 1)
