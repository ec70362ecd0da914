"""Questions that can be asked of the venue; none changes anything but `take_depth_changes`, which forgets what it told.

`notes` is where surfaces write, and the venue never reads.
"""

from decimal import Decimal

from foxtrot.domain.enums import PositionMode, PositionSide
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.fees import FeeSchedule
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.account_settings import leverage_of, most_leverage
from foxtrot.exchange.accounts import Account
from foxtrot.exchange.commands import PlaceOrder, TradingState
from foxtrot.exchange.events import OrderFilled, TradePrinted
from foxtrot.exchange.filters import order_refusal
from foxtrot.exchange.market import Market
from foxtrot.exchange.money import to_decimal
from foxtrot.exchange.order_book import DepthRow
from foxtrot.exchange.reports import (
    DepthChanges,
    MarginReport,
    OrderReport,
    PositionMargin,
    PositionReport,
    RestingReport,
    l3_of,
)
from foxtrot.exchange.result import CommandResult
from foxtrot.exchange.settlement import MarginSettlement, margin_of
from foxtrot.exchange.tape import Candle, Ticker
from foxtrot.exchange.venue_state import VenueState, average_price


class VenueQueries:
    """The reading side of a venue.

    Thread: belongs to the owner of the venue.
    """

    def __init__(self, state: VenueState, margin: MarginSettlement) -> None:
        self._state = state
        self._margin = margin

    @property
    def time_ns(self) -> int:
        """Return the venue's time: that of the last command."""
        return self._state.stream.time_ns

    @property
    def sequence(self) -> int:
        """Return the number of the last event."""
        return self._state.stream.sequence

    def notes(self, owner: str) -> dict[str, str]:
        """Return what a surface keeps with the state, to be changed in place; a restored venue has those of its snapshot."""
        return self._state.notes.setdefault(owner, {})

    def note(self, owner: str, name: str, text: str) -> None:
        """Keep a note of a surface that is worth saving by itself: of something that has not reached the venue yet."""
        self.notes(owner)[name] = text
        self._state.noted += 1

    @property
    def noted(self) -> int:
        """Return how many notes worth saving were written since the venue was made or restored."""
        return self._state.noted

    def instruments(self) -> tuple[Instrument, ...]:
        """Return the listed instruments, oldest first."""
        return tuple(market.instrument for market in self._state.markets.values())

    def accounts(self) -> tuple[str, ...]:
        """Return the names of the open accounts, oldest first, the house's included."""
        return tuple(self._state.ledger.accounts)

    def open_orders(self, account: str, instrument_id: str = "") -> tuple[OrderReport, ...]:
        """Return an account's open orders, oldest first."""
        orders = self._account(account).orders.values()
        return tuple(OrderReport.of(o) for o in orders if instrument_id in ("", o.instrument_id))

    def all_orders(self, account: str, instrument_id: str) -> tuple[OrderReport, ...]:
        """Return an account's orders on an instrument, open and ended, oldest first, as far as they are kept."""
        held = self._account(account).orders.values()
        mine = [o for o in (*self._state.history.orders_of(account), *held) if o.instrument_id == instrument_id]
        return tuple(OrderReport.of(o) for o in sorted(mine, key=lambda o: o.order_id))

    def filter_refusal(self, order: PlaceOrder) -> CommandResult | None:
        """Return why an instrument would refuse an order before anybody looks at money or the book, or None."""
        return order_refusal(self._market(order.instrument_id), order, max(order.time_ns, self.time_ns))

    def fees(self, instrument_id: str, account: str = "") -> FeeSchedule:
        """Return the fee schedule of an instrument, as an account is charged where one is named."""
        return self._market(instrument_id).fees_of(self._account(account).fee_plan if account else "")

    def order(
        self, account: str, instrument_id: str, order_id: int = 0, client_order_id: str = ""
    ) -> OrderReport | None:
        """Return an order, open or ended, by either id; None when it is not (or no longer) known."""
        state, holder = self._state, self._account(account)
        if order_id:
            found = state.orders.get(order_id) or state.history.orders.get(order_id)
        else:
            found = holder.client_ids.get(client_order_id) or state.history.by_client_id(account, client_order_id)
        if found is None or found.account != account or found.instrument_id != instrument_id:
            return None
        return OrderReport.of(found)

    def fills(self, account: str, since_sequence: int = 0) -> tuple[OrderFilled, ...]:
        """Return an account's fills told after a sequence number, oldest first, as far as they are kept."""
        return tuple(self._state.history.fills_of(account, since_sequence))

    def balances(self, account: str) -> dict[str, tuple[Decimal, Decimal]]:
        """Return (total, locked) by asset."""
        return {
            asset: (to_decimal(balance.total), to_decimal(balance.locked))
            for asset, balance in self._account(account).balances.items()
        }

    def positions(self, account: str) -> tuple[PositionReport, ...]:
        """Return an account's positions, flat ones included, oldest first."""
        rows: list[PositionReport] = []
        for (instrument_id, side), held in self._account(account).positions.items():
            market = self._state.markets[instrument_id]
            average = average_price(market, held.quantity, held.cost)
            price = market.reference
            open_profit = held.unrealised(price * market.unit_value) if price else 0
            realised, unrealised = to_decimal(held.realised), to_decimal(open_profit)
            rows.append(
                PositionReport(account, instrument_id, side, held.quantity, average, realised, unrealised, price)
            )
        return tuple(rows)

    def margin(self, account: str, asset: str) -> MarginReport:
        """Return equity, initial and maintenance margin of an account in a settle asset."""
        holder, margin = self._account(account), self._margin
        figures = (margin.equity(holder, asset), margin.required(holder, asset), margin.maintenance(holder, asset))
        return MarginReport(account, asset, *map(to_decimal, figures))

    def position_margins(self, account: str) -> dict[tuple[str, PositionSide], PositionMargin]:
        """Return what each derivative position of an account needs as margin, flat ones with their orders included."""
        holder, markets = self._account(account), self._state.markets
        return {
            key: margin_of(markets[key[0]], key[1], position)
            for key, position in holder.positions.items()
            if markets[key[0]].derivative
        }

    def position_basis(self, account: str, instrument_id: str, side: PositionSide) -> tuple[int, int]:
        """Return the signed quantity of a position and its exact cost in money units."""
        held = self._account(account).positions.get((instrument_id, side))
        return (0, 0) if held is None else (held.quantity, held.cost)

    def position_mode(self, account: str) -> PositionMode:
        """Return how an account holds derivatives."""
        return self._account(account).position_mode

    def leverage(self, account: str, instrument_id: str) -> int:
        """Return the leverage at which an account margins an instrument."""
        return leverage_of(self._account(account), self._market(instrument_id))

    def most_leverage(self, instrument_id: str) -> int:
        """Return the highest leverage that can be chosen for an instrument."""
        return most_leverage(self._market(instrument_id))

    def margin_rates(self, instrument_id: str) -> tuple[Decimal, Decimal]:
        """Return the initial and maintenance margin rates of an instrument."""
        market = self._market(instrument_id)
        rates = market.initial_margin, market.maintenance_margin
        return Decimal(rates[0].numerator) / rates[0].denominator, Decimal(rates[1].numerator) / rates[1].denominator

    def depth(self, instrument_id: str, levels: int = 0) -> tuple[int, tuple[DepthRow, ...], tuple[DepthRow, ...]]:
        """Return update id, bids and asks, best first, at most `levels` a side (0: all)."""
        book = self._market(instrument_id).book
        return (book.update_id, *book.depth(levels))

    def order_counts(self, instrument_id: str, levels: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Return how many orders rest on the best levels of bids and asks, best first."""
        book = self._market(instrument_id).book
        bids, asks = book.depth(levels)
        return (
            tuple(len(book.bids[price].orders) for price, _ in bids),
            tuple(len(book.asks[price].orders) for price, _ in asks),
        )

    def take_depth_changes(self, instrument_id: str) -> DepthChanges:
        """Return the levels changed since the last call; the first call tells all since the book was empty."""
        market = self._market(instrument_id)
        first, last = market.first_depth_id, market.book.update_id
        bids, asks = market.book.take_touched()
        market.first_depth_id = last + 1
        return DepthChanges(first, last, tuple(bids), tuple(asks))

    def l3(self, instrument_id: str) -> tuple[RestingReport, ...]:
        """Return every order in the book: bids, then asks, each in order of priority."""
        return l3_of(self._market(instrument_id))

    def trades(self, instrument_id: str, limit: int = 500) -> tuple[TradePrinted, ...]:
        """Return the last public trades, oldest first."""
        trades = self._market(instrument_id).tape.trades
        return tuple(trades)[-limit:]

    def klines(self, instrument_id: str, interval_ns: int, limit: int = 500) -> tuple[Candle, ...]:
        """Return the last candles of an interval that is a multiple of a minute, oldest first, the open one last."""
        return tuple(self._market(instrument_id).tape.klines(interval_ns, limit))

    def ticker(self, instrument_id: str) -> Ticker:
        """Return top of book, last trade and the last 24 hours."""
        market = self._market(instrument_id)
        book, tape, now = market.book, market.tape, self.time_ns
        bids, asks = book.depth(1)
        bid, ask = bids[0] if bids else (0, 0), asks[0] if asks else (0, 0)
        day = tape.day(now)
        last = tape.trades[-1].quantity if tape.trades else 0
        session = (day.open, day.high, day.low, day.volume, day.turnover)
        return Ticker(instrument_id, now, *bid, *ask, market.last, last, *session, market.reference)

    def funding(self, instrument_id: str) -> tuple[Decimal, int]:
        """Return the funding rate of an instrument and when it is next paid (0: never)."""
        market = self._market(instrument_id)
        return market.funding_rate, market.next_funding_ns

    def trading_state(self, instrument_id: str) -> TradingState:
        """Return whether an instrument trades; one that has expired is closed."""
        market = self._market(instrument_id)
        return TradingState.CLOSED if market.expired else market.state

    def _account(self, name: str) -> Account:
        account = self._state.ledger.accounts.get(name)
        if account is None:
            raise ConfigError(f"account {name} is not open; open it with OpenAccount")
        return account

    def _market(self, instrument_id: str) -> Market:
        market = self._state.markets.get(instrument_id)
        if market is None:
            raise ConfigError(f"instrument {instrument_id} is not listed; list it with AddInstrument")
        return market
