"""Permuted and doubled messages end in the same state, and every trade is booked once."""

from collections import Counter
from decimal import Decimal

from hypothesis import assume, given
from hypothesis import strategies as st

from foxtrot.core.notices import OpenOrdersLoaded, TradeBooked, TradesLoaded
from foxtrot.domain.enums import OrderStatus, Side
from foxtrot.domain.order import OrderData, TradeData
from foxtrot.domain.order_state import OUR_WORD
from foxtrot.trading.order_ids import OrderIds
from foxtrot.trading.order_record import OrderRecord
from tests.support.builders import ACCOUNT, OWNER, T0, TradingFloor, a_perpetual, a_request, a_tick, a_trade, an_order

S = OrderStatus
QUANTITY = 10
ENDS = (S.CANCELLED, S.EXPIRED, S.REJECTED, S.UNKNOWN)


@st.composite
def histories(
    draw: st.DrawFn, order_id: str = "o", side: Side = Side.BUY, first: int = 0
) -> list[OrderData | TradeData]:
    """What a venue tells of one order of 1.0: accepted, fills, each with or without a report, and perhaps an end."""
    told: list[OrderData | TradeData] = []
    filled, cost, time_ns = 0, 0, T0 + first
    same = {"side": side, "venue_order_id": f"v{order_id}"}
    if draw(st.booleans()):
        told.append(an_order(order_id, S.ACCEPTED, venue_time_ns=time_ns, **same))
    while filled < QUANTITY and draw(st.integers(0, 3)):
        part = draw(st.integers(1, QUANTITY - filled))
        tick = draw(st.integers(990, 1010))
        filled, cost, time_ns = filled + part, cost + part * tick, time_ns + draw(st.integers(0, 2))
        number = str(first + len(told))
        fee = Decimal(draw(st.integers(-3, 9))) / 1000
        told.append(
            a_trade(order_id, number, part / 10, tick / 10, fee=fee, fee_asset=draw(st.sampled_from(["USDT", "BNB"])), venue_time_ns=time_ns, **same)
        )  # fmt: skip
        if draw(st.booleans()):
            status = S.FILLED if filled == QUANTITY else S.PARTIALLY_FILLED
            told.append(an_order(order_id, status, filled / 10, cost / filled / 10, venue_time_ns=time_ns, **same))
    if filled < QUANTITY and draw(st.booleans()):
        end = draw(st.sampled_from(ENDS))
        reason = draw(st.sampled_from(["", "by hand", "margin"]))
        average = cost / filled / 10 if filled else 0.0
        told.append(an_order(order_id, end, filled / 10, average, reason=reason, venue_time_ns=time_ns, **same))
    return told


def shuffled(draw: st.DrawFn, messages: list[OrderData | TradeData]) -> list[OrderData | TradeData]:
    """The same messages in another order, some of them several times."""
    doubles = draw(st.lists(st.sampled_from(messages), max_size=6)) if messages else []
    return draw(st.permutations(messages + doubles))


@given(st.data())
def test_a_record_is_the_same_after_every_permutation_with_doubles(data: st.DataObject) -> None:
    messages = data.draw(histories())
    instrument = a_perpetual()

    def merged(told: list[OrderData | TradeData]) -> OrderData:
        record = OrderRecord(an_order("o", S.CREATED, venue_order_id=""), instrument, OWNER, None)
        for message in told:
            if isinstance(message, OrderData):
                record.merge_report(message)
            else:
                record.add_fill(
                    message,
                    instrument.quantity_grid.from_float(message.quantity),
                    instrument.price_grid.from_float(message.price),
                )
        return record.to_order()

    assert merged(shuffled(data.draw, messages)) == merged(messages)


@given(st.data(), st.sampled_from([S.CANCELLED, S.EXPIRED, S.REJECTED, S.DENIED, S.ACCEPTED]))
def test_whatever_we_said_ourselves_of_an_order_the_venues_words_alone_decide(data: st.DataObject, word: S) -> None:
    messages = [one for one in data.draw(histories()) if isinstance(one, TradeData) or one.status is not S.UNKNOWN]
    assume(messages)
    instrument = a_perpetual()

    def merged(told: list[OrderData | TradeData], rule: str) -> OrderData:
        record = OrderRecord(an_order("o", S.CREATED, venue_order_id=""), instrument, OWNER, None)
        record.set_status(S.UNKNOWN)
        if rule:
            record.set_status(word, rule, "by a person")
        for message in told:
            if isinstance(message, OrderData):
                record.merge_report(message)
            else:
                quantity, price = instrument.quantity_grid, instrument.price_grid
                record.add_fill(message, quantity.from_float(message.quantity), price.from_float(message.price))
        return record.to_order()

    rule = data.draw(st.sampled_from(sorted(OUR_WORD)))
    assert merged(shuffled(data.draw, messages), rule) == merged(messages, "")


def desk_after(own: list[list[OrderData | TradeData]], told: list[OrderData | TradeData]) -> TradingFloor:
    """A desk that sent one order per own history and then heard these messages."""
    made = TradingFloor()
    made.desk.strategy_ids.add(OWNER)
    made.put(a_tick())
    for index, _ in enumerate(own):
        side = Side.SELL if index % 2 else Side.BUY
        made.desk.submit(a_request(side, 1.0, 101.0 + index if index % 2 else 99.0 - index), OWNER)
    made.put(*told)
    return made


def facts_of(made: TradingFloor) -> object:
    """All that may not depend on the order of messages."""
    orders = {record.terms.order_id: (record.owner, record.to_order()) for record in made.desk.records()}
    positions = {
        key: (position.quantity, position.cost, position.realised, position.flow, position.fees)
        for key, position in (*made.portfolio.positions(), *made.portfolio.net_positions())
    }
    is_open = sorted(record.key for record in made.desk.open_records())
    return orders, positions, is_open, made.portfolio.balances(ACCOUNT), made.gate.unknown.by_place


@given(st.data())
def test_desk_and_portfolio_are_the_same_after_every_permutation_with_doubles(data: st.DataObject) -> None:
    ids = OrderIds("0000000001")
    own = []
    for index in range(data.draw(st.integers(0, 2))):
        told = data.draw(histories(ids.next(OWNER), Side.SELL if index % 2 else Side.BUY, 100 * index))
        own.append([_with_terms(message, 101.0 + index if index % 2 else 99.0 - index) for message in told])
    earlier = data.draw(histories(OrderIds("1111111111").next(OWNER), Side.SELL, 1000))
    foreign = data.draw(histories("web_1", Side.BUY, 2000))
    messages = [message for told in (*own, earlier, foreign) for message in told]
    expected = desk_after(own, messages)
    other = desk_after(own, shuffled(data.draw, messages))
    assert facts_of(other) == facts_of(expected)
    for made in (expected, other):
        booked = Counter(event.trade.trade_id for event in made.heard(TradeBooked))  # type: ignore[attr-defined]
        assert booked == Counter({message.trade_id: 1 for message in messages if isinstance(message, TradeData)})
        assert made.dispatcher.failures == 0


@given(st.data())
def test_lists_told_after_the_events_change_nothing(data: st.DataObject) -> None:
    messages = data.draw(histories("web_1"))
    made = desk_after([], messages)
    before = facts_of(made)
    orders = tuple(message for message in messages if isinstance(message, OrderData))
    trades = tuple(message for message in messages if isinstance(message, TradeData))
    made.put(OpenOrdersLoaded(ACCOUNT, orders, T0), TradesLoaded(ACCOUNT, trades, T0))
    assert facts_of(made) == before


def _with_terms(message: OrderData | TradeData, price: float) -> OrderData | TradeData:
    if isinstance(message, TradeData):
        return message
    return an_order(
        message.order_id, message.status, message.filled_quantity, message.average_price, side=message.side, price=price,
        venue_order_id=message.venue_order_id, venue_time_ns=message.venue_time_ns, reason=message.reason,
    )  # fmt: skip
