"""A local book made of a snapshot and the stream equals the venue's at every id that both name."""

from random import Random

import pytest

from foxtrot.domain.enums import Product, Side
from foxtrot.exchange.commands import CancelOrder
from tests.support.binance_surface import Line, SurfaceRig

SPOT_NAMES = ("btcusdt@depth", "btcusdt@depth@100ms")
USDM_NAMES = ("btcusdt@depth@0ms", "btcusdt@depth@100ms", "btcusdt@depth", "btcusdt@depth@500ms")
Book = tuple[dict[str, str], dict[str, str]]


class LocalBook:
    """A client's book, kept as Binance's documents say."""

    def __init__(self, snapshot: dict, *, is_spot: bool) -> None:
        self.is_spot = is_spot
        self.sides: Book = (dict(snapshot["bids"]), dict(snapshot["asks"]))
        self.last_id = snapshot["lastUpdateId"]
        self.is_first = True
        self.applied = 0

    def apply(self, event: dict) -> None:
        if event["u"] <= self.last_id:
            return
        if self.is_first:
            assert event["U"] <= self.last_id + 1 <= event["u"]
        elif self.is_spot:
            assert event["U"] == self.last_id + 1
        else:
            assert event["pu"] == self.last_id
        for side, rows in zip(self.sides, (event["b"], event["a"]), strict=True):
            for price, quantity in rows:
                if float(quantity):
                    side[price] = quantity
                else:
                    side.pop(price, None)
        self.last_id, self.is_first = event["u"], False
        self.applied += 1


def venue_book(rig: SurfaceRig) -> tuple[int, Book]:
    answer = rig.get("/api/v3/depth" if rig.product is Product.SPOT else "/fapi/v1/depth", symbol="BTCUSDT", limit=1000)
    return answer["lastUpdateId"], (dict(answer["bids"]), dict(answer["asks"]))


def act(rig: SurfaceRig, random: Random, resting: list[int]) -> None:
    lot = 1_000 if rig.product is Product.SPOT else 1
    if resting and random.random() < 0.4:
        order_id = resting.pop(random.randrange(len(resting)))
        rig.do(CancelOrder(rig.now_ns, "bob", rig.name(), order_id))
        return
    side = random.choice((Side.BUY, Side.SELL))
    price = (6_000_000 if rig.product is Product.SPOT else 600_000) + random.randrange(-20, 21)
    resting.append(rig.order(side, price, lot * random.randrange(20, 60)))


@pytest.mark.parametrize(
    ("product", "name"),
    [(Product.SPOT, name) for name in SPOT_NAMES] + [(Product.PERPETUAL, name) for name in USDM_NAMES],
)
@pytest.mark.parametrize("seed", [1, 2, 3])
def test_snapshot_and_stream_make_the_venues_book(product: Product, name: str, seed: int) -> None:
    rig, random, resting = SurfaceRig(product), Random(seed), []
    for _ in range(random.randrange(30)):
        act(rig, random, resting)
    others = rig.open("/ws/btcusdt@depth@100ms")
    for _ in range(random.randrange(10)):
        act(rig, random, resting)
    rig.wait(random.randrange(0, 200, 10))
    line = rig.open("/ws/" + name)
    books: list[LocalBook] = []
    compared = 0
    for step in range(300):
        act(rig, random, resting)
        rig.wait(random.randrange(0, 60, 10))
        if step in (0, 7, 150):
            snapshot_id, sides = venue_book(rig)
            books.append(
                LocalBook(
                    {"lastUpdateId": snapshot_id, "bids": sides[0], "asks": sides[1]}, is_spot=product is Product.SPOT
                )
            )
        compared += follow(rig, line, books)
    assert compared > 2
    assert len(others.take()) > 10
    assert all(book.applied > 2 for book in books)


def follow(rig: SurfaceRig, line: Line, books: list[LocalBook]) -> int:
    compared = 0
    for event in line.take():
        for book in books:
            book.apply(event)
    now_id, sides = venue_book(rig)
    for book in books:
        if book.last_id == now_id:
            assert book.sides == sides
            compared += 1
    return compared


def test_events_cover_every_id_without_overlap_and_nothing_is_sent_when_nothing_changed() -> None:
    rig, random, resting = SurfaceRig(), Random(7), []
    line = rig.open("/ws/btcusdt@depth@100ms")
    for _ in range(50):
        act(rig, random, resting)
        rig.wait(20)
    events = line.take()
    assert [later["U"] for later in events[1:]] == [event["u"] + 1 for event in events[:-1]]
    rig.wait(200)
    line.take()
    rig.wait(1000)
    assert line.take() == []


def test_a_clock_that_is_set_back_stops_nothing() -> None:
    rig = SurfaceRig()
    line = rig.open("/ws/btcusdt@depth@100ms")
    rig.wait(200)
    rig.now_ns -= 3_600_000_000_000
    rig.order(Side.BUY, 5_000_000, 100_000)
    rig.wait(100)
    assert len(line.take()) == 1
