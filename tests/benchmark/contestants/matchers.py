"""Three ways to match the same operations: the peer's engine, our book alone, and our whole venue.

Each is given the operations, made ready in its own terms beforehand, and returns the seconds it took and what it traded.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from itertools import chain

from foxtrot.domain.enums import Liquidity, OrderType, Product, Side
from foxtrot.domain.fees import load_preset
from foxtrot.domain.instrument import Grid, Instrument
from foxtrot.exchange.commands import AddInstrument, CancelOrder, Deposit, OpenAccount, PlaceOrder
from foxtrot.exchange.events import OrderFilled, VenueEvent
from foxtrot.exchange.order_book import Match, OrderBook
from foxtrot.exchange.venue import Venue
from tests.benchmark.contestants.order_flow import Fill, Operation

Timer = Callable[[], float]
NAME = "BTCUSDT.BENCH"
ACCOUNTS = tuple(f"trader-{number}" for number in range(100))


@dataclass(frozen=True)
class Outcome:
    """How long all operations took, every fill in order, and the units left resting on both sides."""

    seconds: float
    fills: list[Fill]
    resting: int


def by_book(operations: list[Operation], timer: Timer) -> Outcome:
    """Our book alone, which answers each order with the matches it made."""
    todo = [(o.target, o.side, o.price, o.quantity) for o in operations]
    book, reports, order_id = OrderBook(), list[list[Match]](), 0
    began = timer()
    for target, side, price, quantity in todo:
        if target:
            book.cancel(target)
        else:
            order_id += 1
            matches = book.place(order_id, "", side, price, quantity)
            if matches:
                reports.append(matches)
    seconds = timer() - began
    fills = [(match.maker.order_id, match.price, match.quantity) for match in chain(*reports)]
    return Outcome(seconds, fills, sum(total for side in book.depth() for _, total in side))


def by_peer(operations: list[Operation], timer: Timer) -> Outcome:
    """lightmatchingengine, which answers each order with the order and its trades."""
    from lightmatchingengine.lightmatchingengine import LightMatchingEngine

    todo = [(o.target, 1 if o.side is Side.BUY else 2, o.price, o.quantity) for o in operations]
    engine, reports = LightMatchingEngine(), []
    began = timer()
    for target, side, price, quantity in todo:
        if target:
            engine.cancel_order(target, NAME)
        else:
            order, trades = engine.add_order(NAME, price, quantity, side)
            if trades:
                reports.append((order, trades))
    seconds = timer() - began
    fills = [
        (trade.order_id, trade.trade_price, trade.trade_qty)
        for order, trades in reports
        for trade in trades
        if trade.order_id != order.order_id
    ]
    book = engine.order_books[NAME]
    levels = chain(book.bids.values(), book.asks.values())
    return Outcome(seconds, fills, sum(order.leaves_qty for order in chain(*levels)))


def by_venue(operations: list[Operation], timer: Timer) -> Outcome:
    """Our whole venue: commands, filters, accounts, locked money, fees, and every event kept."""
    events: list[VenueEvent] = []
    venue = open_venue(events)
    todo = [(o.target, o.side, o.price, o.quantity) for o in operations]
    order_id, count, execute, limit = 0, len(ACCOUNTS), venue.execute, OrderType.LIMIT
    began = timer()
    for time_ns, (target, side, price, quantity) in enumerate(todo):
        if target:
            execute(CancelOrder(time_ns, ACCOUNTS[target % count], NAME, target))
        else:
            order_id += 1
            account = ACCOUNTS[order_id % count]
            execute(PlaceOrder(time_ns, account, NAME, f"c{order_id}", side, limit, quantity, price))
    seconds = timer() - began
    venue.validate()
    _, bids, asks = venue.depth(NAME)
    return Outcome(seconds, list(maker_fills(events)), sum(total for _, total in chain(bids, asks)))


def maker_fills(events: list[VenueEvent]) -> Iterator[Fill]:
    """Yield the fills of resting orders."""
    for event in events:
        if isinstance(event, OrderFilled) and event.liquidity is Liquidity.MAKER:
            yield event.order_id, event.fill_price, event.fill_quantity


def open_venue(events: list[VenueEvent]) -> Venue:
    """Return a venue with one spot instrument, Binance's spot fees, and rich accounts whose orders lock money."""
    instrument = Instrument(
        instrument_id=NAME, symbol="BTCUSDT", venue="BENCH", product=Product.SPOT, base_asset="BTC", quote_asset="USDT",
        settle_asset="USDT", price_grid=Grid.of("0.01"), quantity_grid=Grid.of("0.001"),
    )  # fmt: skip
    venue = Venue(events.append)
    venue.execute(AddInstrument(0, instrument, "price_time", load_preset("binance_spot"), "received"))
    for account in ACCOUNTS:
        venue.execute(OpenAccount(0, account))
        for asset in ("BTC", "USDT"):
            venue.execute(Deposit(0, account, asset, Decimal(1_000_000)))
    return venue
