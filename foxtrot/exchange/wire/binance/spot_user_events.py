"""What a spot account hears of itself: the venue's events as executionReport, outboundAccountPosition and balanceUpdate."""

from typing import Protocol

from foxtrot.domain.enums import Liquidity, OrderType, TimeInForce
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.events import (
    BalanceChanged,
    ChargeBooked,
    OrderAccepted,
    OrderAmended,
    OrderCancelled,
    OrderEvent,
    OrderExpired,
    OrderFilled,
    OrderRejected,
    OrderTriggered,
    PairChanged,
    VenueEvent,
)
from foxtrot.exchange.order_life import OTHER_OF_PAIR
from foxtrot.exchange.wire.binance.numbers import decimal_text, notional_text, price_text, quantity_text
from foxtrot.exchange.wire.binance.spot_account import balance_texts
from foxtrot.exchange.wire.binance.spot_list_shapes import legs_of, list_status
from foxtrot.exchange.wire.binance.spot_notes import OrderNote, OrderNotes
from foxtrot.exchange.wire.binance.spot_order_shapes import (
    MS_NS,
    SELF_TRADE,
    Fields,
    ended_text,
    time_in_force_text,
    type_text,
)
from foxtrot.exchange.wire.binance.venue_side import VenueSide

_EXPIRY_REASONS = {
    TimeInForce.IOC.value: "UNFILLED_IOC_QUANTITY_EXPIRED",
    TimeInForce.FOK.value: "UNFILLED_FOK_ORDER_EXPIRED",
    "no_liquidity": "INSUFFICIENT_LIQUIDITY",
}
_MARKETS = frozenset({OrderType.MARKET, OrderType.STOP, OrderType.TAKE_PROFIT, OrderType.TRAILING_STOP})
_CONDITIONAL = frozenset(set(OrderType) - {OrderType.LIMIT, OrderType.MARKET})
_Kind = tuple[str, str, str]
"""Execution type, order status and reject reason."""


class Deliverer(Protocol):
    """Who brings an event to an account's connections."""

    def deliver(self, account: str, payload: dict[str, object]) -> None:
        """Send one event to all that listen to an account.

        Source: Binance spot API, User Data Streams.
        """
        ...


class SpotUserEvents:
    """Turns the venue's events into user-data events of the accounts that have keys.

    Balances that one command touched leave together, after its execution reports.

    Thread: exchange-io.
    """

    def __init__(self, side: VenueSide, channels: Deliverer, notes: OrderNotes, updated_ns: dict[str, int]) -> None:
        self._side = side
        self._channels = channels
        self._notes = notes
        self._updated_ns = updated_ns
        self._balances: dict[str, dict[str, BalanceChanged]] = {}

    def hear(self, event: VenueEvent) -> None:
        """Tell what an event means to the account that it speaks of.

        Source: Binance spot API, User Data Streams.
        """
        if isinstance(event, BalanceChanged):
            if event.account in self._side.uids:
                self._balances.setdefault(event.account, {})[event.asset] = event
            if event.sequence >= self._side.venue.sequence:
                self.flush()
            return
        self.flush()
        if isinstance(event, OrderEvent):
            if event.account in self._side.uids and not isinstance(event, OrderRejected):
                self._hear_order(event)
        elif isinstance(event, PairChanged) and event.account in self._side.uids:
            self._hear_pair(event)
        elif isinstance(event, ChargeBooked) and event.account in self._side.uids:
            self._channels.deliver(event.account, self._balance_update(event))

    def flush(self) -> None:
        """Tell the balances that were touched.

        Source: Binance spot API, User Data Streams, Account Update (outboundAccountPosition).
        """
        if not self._balances:
            return
        touched, self._balances = self._balances, {}
        for account, changes in touched.items():
            last_ns = max(change.time_ns for change in changes.values())
            self._updated_ns[account] = last_ns
            rows: list[Fields] = []
            for asset, change in changes.items():
                free, locked = balance_texts(change.total, change.locked)
                rows.append({"a": asset, "f": free, "l": locked})
            head: Fields = {"e": "outboundAccountPosition", "E": self._now_ms(), "u": last_ns // MS_NS}
            self._channels.deliver(account, {**head, "B": rows})

    def _balance_update(self, event: ChargeBooked) -> Fields:
        time_ms = event.time_ns // MS_NS
        head: Fields = {"e": "balanceUpdate", "E": self._now_ms(), "a": event.asset}
        return {**head, "d": decimal_text(event.amount), "T": time_ms}

    def _hear_pair(self, event: PairChanged) -> None:
        instrument = self._side.symbols().get(event.instrument_id.partition(".")[0])
        stop = self._side.venue.order(event.account, event.instrument_id, event.pair)
        legs = legs_of(self._side.venue, stop) if stop is not None else ()
        if instrument is not None and legs:
            times = self._now_ms(), event.time_ns // MS_NS
            payload = list_status(instrument, legs, self._notes, times, is_open=event.is_open)
            self._channels.deliver(event.account, payload)

    def _hear_order(self, event: OrderEvent) -> None:
        instrument = self._side.symbols().get(event.instrument_id.partition(".")[0])
        if instrument is None or instrument.instrument_id != event.instrument_id:
            return
        note = self._notes.of(event.order_id)
        note.update_ns = event.time_ns
        changed = isinstance(event, OrderAmended) and event.reason != SELF_TRADE
        note.requested = event.quantity if changed else note.requested or event.quantity
        if isinstance(event, OrderTriggered):
            note.working_ns = event.time_ns
        self._channels.deliver(event.account, self._report(instrument, event, note))

    def _report(self, instrument: Instrument, event: OrderEvent, note: OrderNote) -> Fields:
        kind, status, reject = _kind(event)
        name, former = _names(event, note)
        if kind == "CANCELED":
            name, former = note.cancel_id or self._notes.new_name(event.time_ns), name
        report = self._side.venue.order(event.account, event.instrument_id, event.order_id)
        display, created_ns = (report.display_quantity, report.time_ns) if report else (0, event.time_ns)
        accepted = isinstance(event, OrderAccepted) and event.order_type in _CONDITIONAL
        pending = accepted or (report is not None and report.pending)
        head: Fields = {
            "e": "executionReport", "E": self._now_ms(), "s": instrument.symbol, "c": name, "S": event.side.name,
            "o": type_text(event), "f": time_in_force_text(event), "q": quantity_text(instrument, max(note.requested, event.quantity)),
            "p": price_text(instrument, event.price), "P": price_text(instrument, event.trigger_price),
            "F": quantity_text(instrument, display), "g": (report and report.pair) or -1, "C": former, "x": kind, "X": status, "r": reject,
            "i": event.order_id, "z": quantity_text(instrument, event.filled), "T": event.time_ns // MS_NS,
            "I": event.sequence, "w": status in ("NEW", "PARTIALLY_FILLED") and not pending, "O": created_ns // MS_NS,
            "Z": notional_text(instrument, event.cost), "Q": note.quote_quantity, "V": note.stp,
        }  # fmt: skip
        if not pending:
            head["W"] = (note.working_ns or created_ns) // MS_NS
        return head | _fill_fields(instrument, event) | _rare_fields(instrument, event, note)

    def _now_ms(self) -> int:
        return self._side.now_ns() // MS_NS


def _names(event: OrderEvent, note: OrderNote) -> tuple[str, str]:
    """Return the order's name and, where an amendment is told, the one before it."""
    name = note.client_id or event.client_order_id
    renamed = isinstance(event, OrderAmended) and event.reason != SELF_TRADE
    return name, note.former_id if renamed else ""


def _kind(event: OrderEvent) -> _Kind:
    working = "PARTIALLY_FILLED" if event.filled else "NEW"
    if isinstance(event, OrderFilled):
        return "TRADE", working if event.remaining else "FILLED", "NONE"
    if isinstance(event, OrderExpired):
        return "EXPIRED", "EXPIRED", "NONE"
    if isinstance(event, OrderCancelled):
        status = ended_text(event.reason)
        if status == "REJECTED":
            return status, status, "INSUFFICIENT_BALANCES"
        return ("CANCELED" if status == "CANCELED" else "TRADE_PREVENTION"), status, "NONE"
    if isinstance(event, OrderAmended):
        return ("TRADE_PREVENTION" if event.reason == SELF_TRADE else "REPLACED"), working, "NONE"
    return "NEW", working, "NONE"


def _fill_fields(instrument: Instrument, event: OrderEvent) -> Fields:
    if not isinstance(event, OrderFilled):
        nothing = decimal_text(instrument.min_notional * 0)
        return {"l": nothing, "L": nothing, "n": "0", "N": None, "t": -1, "m": False, "M": False, "Y": nothing}
    return {
        "l": quantity_text(instrument, event.fill_quantity),
        "L": price_text(instrument, event.fill_price),
        "n": decimal_text(event.fee),
        "N": event.fee_asset,
        "t": event.trade_id,
        "m": event.liquidity is Liquidity.MAKER,
        "M": True,
        "Y": notional_text(instrument, event.fill_price * event.fill_quantity),
    }


def _rare_fields(instrument: Instrument, event: OrderEvent, note: OrderNote) -> Fields:
    """Return the fields that stand only in some reports: trailing distance, prevented quantity, why an order expired."""
    fields: Fields = {}
    if note.trailing_bips:
        fields["d"] = note.trailing_bips
    if isinstance(event, OrderAmended | OrderCancelled) and event.reason == SELF_TRADE:
        prevented = note.requested - (event.filled if isinstance(event, OrderCancelled) else event.quantity)
        fields |= {"v": event.sequence, "A": quantity_text(instrument, prevented), "u": event.sequence}
    if isinstance(event, OrderExpired) and event.reason != OTHER_OF_PAIR:
        reason = _EXPIRY_REASONS.get(event.reason, event.reason.upper())
        if event.reason == TimeInForce.IOC.value and event.order_type in _MARKETS:
            reason = _EXPIRY_REASONS["no_liquidity"]
        fields["eR"] = reason
    return fields
