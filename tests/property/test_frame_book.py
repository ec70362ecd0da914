"""The compiled path from frame to book against the plain one: the same book, states, counters and refusals, whatever comes."""

from random import Random

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from foxtrot.adapter.binance.codec import MarketCodec
from foxtrot.adapter.binance.frame_book import FrameBook
from foxtrot.adapter.binance.frame_levels import is_compiled
from foxtrot.books.cached_book import CachedBook
from foxtrot.books.sequence import ContiguousIds, PreviousId
from foxtrot.domain.enums import BookState, Product, Side
from foxtrot.domain.errors import BadMessage, OffGrid
from foxtrot.domain.instrument import Grid, Instrument
from foxtrot.domain.market import DepthChange, DepthData

pytestmark = pytest.mark.skipif(not is_compiled(), reason="the compiled path was not built: scripts/setup --compiled")

GRIDS = [("0.01", "0.00001"), ("0.5", "0.001"), ("0.00000001", "1"), ("25", "0.00000001"), ("1", "1000")]
LIMIT = 30


def instrument(product: Product, price_step: str, size_step: str) -> Instrument:
    codec = MarketCodec(product)
    return Instrument(
        instrument_id=codec.instrument_id("BTCUSDT"), symbol="BTCUSDT", venue=codec.venue, product=product, base_asset="BTC",
        quote_asset="USDT", settle_asset="USDT", price_grid=Grid.of(price_step), quantity_grid=Grid.of(size_step),
    )  # fmt: skip


class Owner:
    """Keeps what it hears, and which snapshots were asked for."""

    def __init__(self) -> None:
        self.heard: list[object] = []

    def on_state(self, book: CachedBook, cause: str) -> None:
        self.heard.append((book.state, cause, book.view(5)))

    def on_change(self, book: CachedBook, change: DepthChange | None) -> None:
        self.heard.append(book.view(5))

    def need(self, book: CachedBook) -> None:
        self.heard.append(("snapshot", book.generation))


class Venue:
    """Writes frames as the venue does, and now and then as it does not."""

    def __init__(self, random: Random, product: Product, made: Instrument) -> None:
        self.random = random
        self.is_spot = product is Product.SPOT
        self.instrument = made
        self.last = 1_000

    def snapshot(self) -> DepthData:
        """A book of up to 40 levels a side, cut to 30."""
        grids = self.instrument.price_grid, self.instrument.quantity_grid
        sides = []
        for low in (1_000, 1_050):
            prices = sorted(
                self.random.sample(range(low, low + 50), self.random.randrange(1, 40)), reverse=low == 1_000
            )
            sides.append(
                tuple((grids[0].to_float(p), grids[1].to_float(self.random.randrange(1, 9))) for p in prices[:LIMIT])
            )
        return DepthData(self.instrument.instrument_id, 1, 1, self.last - self.random.randrange(3), sides[0], sides[1])

    def frame(self) -> str:
        """The next frame."""
        draw = self.random
        first, previous = self.last + (1 if self.is_spot else draw.randrange(1, 3)), self.last
        self.last = first + draw.randrange(4)
        fields = {
            "e": '"depthUpdate"', "E": str(draw.choice((1_760_000_000_000, 1_760_000_000_000_123)) + self.last), "s": '"BTCUSDT"',
            "U": str(first), "u": str(self.last), "b": self.rows(1_000), "a": self.rows(1_050),
        }  # fmt: skip
        if not self.is_spot:
            fields |= {"pu": str(previous), "T": str(1_760_000_000_000 + self.last)}
        if draw.random() < 0.15:
            self.spoil(fields)
        text = "{" + ",".join(f'"{name}":{value}' for name, value in fields.items()) + "}"
        if draw.random() < 0.1:
            text = f'{{"stream":"btcusdt@depth{draw.choice(("", "@100ms", "@10ms"))}","data":{text}}}'
        if draw.random() < 0.05:
            at = draw.randrange(len(text))
            text = text[:at] + draw.choice(("", " ", "0", '"', "}", ",", "\\", "é")) + text[at + draw.randrange(2) :]
        return text

    def rows(self, low: int) -> str:
        """Changed levels of one side; few of them cross the other."""
        draw = self.random
        grids = self.instrument.price_grid, self.instrument.quantity_grid
        rows = []
        for _ in range(draw.randrange(5)):
            price = low + draw.randrange(50) + (draw.random() < 0.02) * draw.choice((-60, 60))
            pair = [self.text(grids[0], price), self.text(grids[1], draw.randrange(0, 3))]
            rows.append(f'["{pair[0]}","{pair[1]}"]')
        return "[" + ",".join(rows) + "]"

    def text(self, grid: Grid, units: int) -> str:
        """Decimal text of a grid point, with zeros behind it or not."""
        draw = self.random
        plain = grid.to_text(units)
        if draw.random() < 0.5:
            whole, _, part = plain.partition(".")
            plain = f"{whole}.{part:0<8}"
        return plain

    def spoil(self, fields: dict[str, str]) -> None:
        """Write one field as it seldom or never is."""
        name = self.random.choice(list(fields))
        odd = {
            "e": ['"trade"', "1"], "s": ['"ETHUSDT"', '"BTCUSDTX"', '"B\\u0054CUSDT"'],
            "b": ODD_ROWS, "a": ODD_ROWS,
        }.get(name, ["-1", "01", "1.0", '"7"', "null", "99999999999999999999", "0", str(2**63 - 1)])  # fmt: skip
        change = self.random.random()
        if change < 0.1:
            del fields[name]
        elif change < 0.2:
            fields["x"] = self.random.choice(["1", "[]", '"a"', "01"])
        else:
            fields[name] = self.random.choice(odd)


ODD_ROWS = [
    "[]", "null", "{}", "[[]]", '[["1000.00"]]', '[["1000.00","1","2"]]', "[[1000,1]]", '[["1e3","1"]]', '[["-1000","1"]]',
    '[["1000","-1"]]', '[["0","1"]]', '[["0.000","1"]]', '[["1000.000000001","1"]]', '[["1000","0.000000001"]]', '[["01000","1"]]',
    '[["1000.","1"]]', '[[".5","1"]]', '[["1000"," 1"]]', '[["nan","1"]]', '[["1000","inf"]]', '[["1000","1"],]', '[["1000","1"]',
    '[["1125899906842624","1"]]', '[["1125899906842623","1125899906842623"]]', '[["1000","99999999999999999999"]]',
    '[["1000","12345678901234567"]]', '[["1000","1000000000000000000"]]', '[["1000","2"],["1000","0"]]', '[["999999999999999999","1"]]',
]  # fmt: skip


class Pair:
    """The same book twice."""

    def __init__(self, product: Product, made: Instrument) -> None:
        rule = ContiguousIds() if product is Product.SPOT else PreviousId()
        self.codec = MarketCodec(product)
        self.owners = Owner(), Owner()
        self.plain = CachedBook(made, rule, self.owners[0], self.owners[0].need)
        self.compiled = FrameBook(made, rule, self.owners[1], self.owners[1].need)

    def both(self, what: str) -> None:
        """Begin, begin an audit, or fall silent."""
        for book in (self.plain, self.compiled):
            if what == "silence":
                book.silence("quiet")
            else:
                getattr(book, what)()
        self.compare()

    def take(self, frame: str | bytes, now_ns: int) -> None:
        """Give both a frame, and compare all that can be seen."""
        answers: list[object] = []
        for take in (self.take_plainly, self.compiled.take):
            try:
                answers.append(take(frame, now_ns))
            except BadMessage as error:
                answers.append(str(error))
        assert answers[0] == answers[1], frame
        self.compare()

    def take_plainly(self, frame: str | bytes, now_ns: int) -> bool:
        fact = self.codec.decode(frame, now_ns)
        return self.plain.apply(fact if isinstance(fact, DepthChange) else self.codec.depth_change(frame, now_ns))

    def load(self, snapshot: DepthData) -> None:
        answers: list[object] = []
        for book in (self.plain, self.compiled):
            try:
                answers.append(book.load(snapshot, book.generation, LIMIT))
            except OffGrid as error:
                answers.append(str(error))
        assert answers[0] == answers[1]
        self.compare()

    def finish_audit(self, snapshot: DepthData) -> None:
        """Audit both, whether an audit was begun or not."""
        answers: list[object] = []
        for book in (self.plain, self.compiled):
            try:
                answers.append(book.finish_audit(snapshot, LIMIT))
            except OffGrid as error:
                answers.append(str(error))
        assert answers[0] == answers[1]
        self.compare()

    def compare(self) -> None:
        plain, compiled = self.plain, self.compiled
        assert plain.view(1_000) == compiled.view(1_000)
        assert plain.counters == compiled.counters
        assert self.owners[0].heard == self.owners[1].heard
        assert plain.generation == compiled.generation
        assert plain.book.levels.is_crossed is compiled.book.levels.is_crossed
        assert len(plain.book.levels) == len(compiled.book.levels)
        for side in Side:
            assert plain.book.levels.depth_to(side, 1_020) == compiled.book.levels.depth_to(side, 1_020)


@given(st.integers(0, 2**32), st.sampled_from([Product.SPOT, Product.PERPETUAL]), st.sampled_from(GRIDS))
def test_the_compiled_path_is_the_plain_one(seed: int, product: Product, grids: tuple[str, str]) -> None:
    random = Random(seed)
    made = instrument(product, *grids)
    venue, pair = Venue(random, product, made), Pair(product, made)
    pair.both("begin")
    for turn in range(60):
        frame = venue.frame()
        luck = random.random()
        if luck < 0.03:
            continue
        pair.take(frame if luck < 0.9 else frame.encode(), turn)
        if luck > 0.97:
            pair.take(frame, turn)
        if pair.plain.book.state not in (BookState.LIVE, BookState.CROSSED) and random.random() < 0.7:
            pair.load(venue.snapshot())
        if not pair.plain.streams and random.random() < 0.5:
            pair.both("begin")
        if random.random() < 0.02:
            pair.both(random.choice(("begin_audit", "silence", "begin")))
        if random.random() < 0.05:
            pair.finish_audit(venue.snapshot())


@pytest.mark.parametrize("product", [Product.SPOT, Product.PERPETUAL])
@pytest.mark.parametrize("grids", GRIDS)
def test_frames_as_usual_take_the_compiled_path(product: Product, grids: tuple[str, str]) -> None:
    made = instrument(product, *grids)
    venue, pair = Venue(Random(1), product, made), Pair(product, made)
    pair.both("begin")
    pair.load(msgspec.structs.replace(venue.snapshot(), update_id=venue.last))
    low, high = made.price_grid.to_text(1_049), made.price_grid.to_text(1_050)
    size = made.quantity_grid.to_text(7)
    for number in range(3):
        previous = "" if product is Product.SPOT else f'"pu":{venue.last + number},"T":5,'
        frame = (
            f'{{"e":"depthUpdate","E":1,"s":"BTCUSDT","U":{venue.last + number + 1},"u":{venue.last + number + 1},'
            f'{previous}"b":[["{low}","{size}"]],"a":[["{high}","{size}"],["{high}","{size}"]]}}'
        )
        assert pair.compiled.follow(frame, number) is True
    assert pair.compiled.view(1).bids == ((1_049, 7),)
    assert pair.compiled.view(1).asks == ((1_050, 7),)
