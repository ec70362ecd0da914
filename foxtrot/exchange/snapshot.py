"""A venue's whole state as bytes and back. Priorities are kept by writing resting orders in their order of priority."""

from collections.abc import Collection
from decimal import Decimal
from fractions import Fraction

import msgspec

from foxtrot.domain.enums import PositionMode, PositionSide, SelfTradePrevention
from foxtrot.domain.errors import InputError
from foxtrot.domain.fees import FeeSchedule
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.accounts import Account, Balance, Position
from foxtrot.exchange.commands import AddInstrument, Matching, TradingState
from foxtrot.exchange.events import OrderFilled, TradePrinted
from foxtrot.exchange.market import Market
from foxtrot.exchange.tape import Candle
from foxtrot.exchange.venue_state import VenueState
from foxtrot.exchange.working_order import WorkingOrder

VERSION = 1
_LARGEST = 2**63 - 1


class _AccountImage(msgspec.Struct, omit_defaults=True):
    name: str
    position_mode: PositionMode
    margin_checked: bool
    stp: SelfTradePrevention
    fee_asset: str
    allow_short: bool
    balances: list[tuple[str, int, int]]
    positions: list[tuple[str, PositionSide, int, int, int, int, int]]
    leverages: dict[str, int] = {}
    fee_plan: str = ""


class _MarketImage(msgspec.Struct):
    instrument: Instrument
    matching: Matching
    fees: FeeSchedule
    fee_asset_mode: str
    initial_margin: tuple[int, int]
    maintenance_margin: tuple[int, int]
    state: TradingState
    expired: bool
    mark: int
    last: int
    day_end_ns: int
    funding_rate: Decimal
    next_funding_ns: int
    next_trade_id: int
    update_id: int
    resting: list[tuple[int, int]]
    trades: list[TradePrinted]
    candles: list[Candle]
    fee_plans: dict[str, FeeSchedule] = {}


class _VenueImage(msgspec.Struct):
    version: int
    time_ns: int
    sequence: int
    next_order_id: int
    external: dict[str, int]
    accounts: list[_AccountImage]
    markets: list[_MarketImage]
    orders: list[WorkingOrder]
    ended: list[WorkingOrder]
    fills: list[OrderFilled]
    notes: dict[str, dict[str, str]] = {}


_Plain = None | bool | int | float | str | list["_Plain"] | dict[str, "_Plain"]
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(_VenueImage, strict=False)


def take_snapshot(state: VenueState, forgotten: Collection[str] = ()) -> bytes:
    """Return a venue's state as MessagePack (integers beyond 64 bits are written as text).

    Of the accounts in `forgotten`, orders that have ended and fills are left out: traders who never ask for them make most
    of a venue's past.
    """
    past = state.history
    image = {
        "version": VERSION,
        "time_ns": state.stream.time_ns,
        "sequence": state.stream.sequence,
        "next_order_id": state.next_order_id,
        "external": _portable(msgspec.to_builtins(state.ledger.external)),
        "accounts": [_row(_account_image(account)) for account in state.ledger.accounts.values()],
        "markets": [_market_row(_market_image(market)) for market in state.markets.values()],
        "orders": [_row(order) for order in state.orders.values()],
        "ended": [_row(order) for order in past.orders.values() if order.account not in forgotten],
        "fills": [_row(fill) for fill in past.fills(forgotten)],
        "notes": state.notes,
    }
    return msgspec.msgpack.encode(image)


def restore_state(state: VenueState, snapshot: bytes) -> None:
    """Fill an empty state from a snapshot.

    Raises:
        InputError: the bytes are not a snapshot of this version.
    """
    try:
        image = _DECODER.decode(snapshot)
    except msgspec.MsgspecError as error:
        raise InputError(f"not a venue snapshot: {error}; take one with Venue.snapshot") from error
    if image.version != VERSION:
        raise InputError(f"snapshot version {image.version} is not {VERSION}; take a new one with this release")
    state.stream.time_ns, state.stream.sequence = image.time_ns, image.sequence
    state.next_order_id = image.next_order_id
    state.notes = image.notes
    state.ledger.external = image.external
    for account_image in image.accounts:
        state.ledger.add(_account(account_image))
    state.ledger.adopt_house()
    for market_image in image.markets:
        state.markets[market_image.instrument.instrument_id] = _market(market_image)
    for order in image.orders:
        state.orders[order.order_id] = order
        state.ledger.accounts[order.account].add_order(order)
        if order.pending and not state.markets[order.instrument_id].external:
            state.markets[order.instrument_id].triggers.add(order, 0)
    for market_image in image.markets:
        _fill_book(state, market_image)
    for order in image.ended:
        state.history.add_order(order)
    for fill in image.fills:
        state.history.add_fill(fill)


def _account_image(account: Account) -> _AccountImage:
    return _AccountImage(
        account.name,
        account.position_mode,
        account.margin_checked,
        account.stp,
        account.fee_asset,
        account.allow_short,
        [(asset, held.total, held.locked) for asset, held in account.balances.items()],
        [
            (name, side, held.quantity, held.cost, held.realised, held.open_buys, held.open_sells)
            for (name, side), held in account.positions.items()
        ],
        dict(account.leverages),
        account.fee_plan,
    )


def _account(image: _AccountImage) -> Account:
    account = Account(
        image.name,
        position_mode=image.position_mode,
        margin_checked=image.margin_checked,
        stp=image.stp,
        fee_asset=image.fee_asset,
        allow_short=image.allow_short,
        fee_plan=image.fee_plan,
    )
    account.leverages = image.leverages
    for asset, total, locked in image.balances:
        account.balances[asset] = Balance(total, locked)
    for name, side, quantity, cost, realised, buys, sells in image.positions:
        position = account.positions[name, side] = Position(quantity, cost, realised, image.leverages.get(name, 0))
        position.open_buys, position.open_sells = buys, sells
    return account


def _market_image(market: Market) -> _MarketImage:
    book = market.book
    return _MarketImage(
        market.instrument,
        market.matching,
        market.fees,
        market.fee_asset_mode,
        (market.initial_margin.numerator, market.initial_margin.denominator),
        (market.maintenance_margin.numerator, market.maintenance_margin.denominator),
        market.state,
        market.expired,
        market.mark,
        market.last,
        market.day_end_ns,
        market.funding_rate,
        market.next_funding_ns,
        market.next_trade_id,
        book.update_id,
        [(order.order_id, order.visible) for is_buy in (True, False) for order in book.queue(is_buy)],
        list(market.tape.trades),
        list(market.tape.candles),
        dict(market.fee_plans),
    )


def _market(image: _MarketImage) -> Market:
    market = Market(AddInstrument(0, image.instrument, image.matching, image.fees, image.fee_asset_mode))
    for plan, fees in image.fee_plans.items():
        market.set_fee_plan(plan, fees)
    market.initial_margin = Fraction(*image.initial_margin)
    market.maintenance_margin = Fraction(*image.maintenance_margin)
    market.state, market.expired = image.state, image.expired
    market.mark, market.last = image.mark, image.last
    market.day_end_ns = image.day_end_ns
    market.funding_rate, market.next_funding_ns = image.funding_rate, image.next_funding_ns
    market.next_trade_id = image.next_trade_id
    market.tape.trades.extend(image.trades)
    market.tape.candles.extend(image.candles)
    return market


def _fill_book(state: VenueState, image: _MarketImage) -> None:
    market = state.markets[image.instrument.instrument_id]
    book = market.book
    for order_id, visible in image.resting:
        book.rest(state.orders[order_id])
        book.show(order_id, visible)
    book.take_touched()
    book.update_id = image.update_id
    market.first_depth_id = image.update_id + 1


def _market_row(image: _MarketImage) -> dict[str, object]:
    row: dict[str, object] = {
        "trades": [_row(one) for one in image.trades],
        "candles": [_row(one) for one in image.candles],
    }
    image.trades, image.candles = [], []
    return {name: _portable(value) for name, value in msgspec.to_builtins(image).items()} | row


def _row(item: msgspec.Struct) -> object:
    """Return one row ready to be written: most fit as they are, and then no code of ours looks at their fields."""
    try:
        return msgspec.Raw(_ENCODER.encode(item))
    except OverflowError:
        return _portable(msgspec.to_builtins(item))


def _portable(value: _Plain) -> _Plain:
    if isinstance(value, dict):
        return {key: _portable(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_portable(item) for item in value]
    if isinstance(value, int) and abs(value) > _LARGEST:
        return str(value)
    return value
