"""The naive twin of the venue: the same commands for spot and unmargined perpetuals, obvious and slow.

Nothing is kept that can be worked out: what is locked is summed over the open orders, the book is sorted at every look. It
shares no code with the venue but the commands, the result codes and the function that hashes rows of text.
"""

import copy
from fractions import Fraction

from foxtrot.domain.enums import OrderType, TimeInForce
from foxtrot.exchange import commands as c
from foxtrot.exchange.result import CommandResult, ResultCode
from foxtrot.exchange.state_hash import Row, hash_rows
from tests.support.naive_book import LIMITS, Clock, Meeting, NaiveOrder, crosses, follow, meet, side_of, triggered
from tests.support.naive_market import ONE, NaiveMarket, fee_of

R = ResultCode
DAY_NS = 86_400 * 10**9
OK = CommandResult(R.OK)
HANDLERS = {
    c.AdvanceTime: "advance",
    c.AddInstrument: "add_instrument",
    c.OpenAccount: "open_account",
    c.Deposit: "deposit",
    c.PlaceOrder: "place",
    c.AmendOrder: "amend",
    c.CancelOrder: "cancel",
    c.CancelAll: "cancel_all",
}


class NaiveVenue:
    """All of it in lists and dicts."""

    def __init__(self) -> None:
        self.now = 0
        self.next_id = 1
        self.clock = Clock()
        self.markets: dict[str, NaiveMarket] = {}
        self.accounts: dict[str, c.OpenAccount] = {}
        self.totals: dict[tuple[str, str], int] = {}
        self.positions: dict[tuple[str, str], list[int]] = {}
        self.external: dict[str, int] = {}
        self.orders: list[NaiveOrder] = []

    def execute(self, command: c.VenueCommand) -> CommandResult:
        """Do one command."""
        while True:
            due = [o for o in self.orders if o.expire_time_ns and o.expire_time_ns <= command.time_ns]
            if not due:
                break
            self.remove(min(due, key=lambda order: (order.expire_time_ns, order.order_id)))
        self.now = max(self.now, command.time_ns)
        return getattr(self, HANDLERS[type(command)])(command)

    def advance(self, command: c.AdvanceTime) -> CommandResult:
        return OK

    def add_instrument(self, command: c.AddInstrument) -> CommandResult:
        self.markets[command.instrument.instrument_id] = NaiveMarket(command)
        return OK

    def open_account(self, command: c.OpenAccount) -> CommandResult:
        self.accounts[command.account] = command
        return OK

    def deposit(self, command: c.Deposit) -> CommandResult:
        self.pay(command.account, command.asset, int(command.amount * ONE))
        self.external[command.asset] = self.external.get(command.asset, 0) + int(command.amount * ONE)
        return OK

    def place(self, command: c.PlaceOrder) -> CommandResult:
        market = self.markets[command.instrument_id]
        order = self.new_order(command)
        code = self.refusal(order, command.expire_unfillable)
        if code is not R.OK:
            return CommandResult(code)
        self.next_id += 1
        self.orders.append(order)
        if order.time_in_force is TimeInForce.DAY:
            order.expire_time_ns = self.now - self.now % DAY_NS + DAY_NS
        if self.unfillable(order):
            self.remove(order)
        elif order.state == "working":
            self.work(order)
        else:
            if order.order_type is OrderType.TRAILING_STOP and market.last:
                follow(order, market.last)
            if market.last and triggered(order, market.last):
                self.activate(order)
        self.wake(market)
        return CommandResult(R.OK, order.order_id)

    def refusal(self, order: NaiveOrder, expire_unfillable: bool) -> ResultCode:
        """Return why an order is refused, or OK; a reduce-only one is cut to what it can reduce."""
        if order.quantity <= 0:
            return R.FILTER_QUANTITY_LOW
        if any(o.client_order_id == order.client_order_id for o in self.orders if o.account == order.account):
            return R.ACCOUNT_DUPLICATE_CLIENT_ID
        if order.reduce_only:
            order.quantity = order.leaves = min(order.quantity, self.reducible(order))
        if not order.quantity:
            return R.ACCOUNT_NOTHING_TO_REDUCE
        if order.post_only and self.would_take(order):
            return R.MATCHING_POST_ONLY
        return self.bearable(order, expire_unfillable)

    def bearable(self, order: NaiveOrder, expire_unfillable: bool = False) -> ResultCode:
        """Return OK when the book can fill it if it must, and the account can pay."""
        if not expire_unfillable and self.unfillable(order):
            return R.MATCHING_FOK
        if self.accounts[order.account].margin_checked and not self.affordable(order):
            return R.ACCOUNT_INSUFFICIENT_BALANCE
        return R.OK

    def unfillable(self, order: NaiveOrder) -> bool:
        """Tell whether a working fill-or-kill order finds too little."""
        must_fill = order.time_in_force is TimeInForce.FOK and order.state == "working"
        return must_fill and self.trial(order)[0] < order.leaves

    def would_take(self, order: NaiveOrder) -> bool:
        """Tell whether an order would meet the other side."""
        best = side_of(self.of(self.markets[order.instrument_id]), not order.buys)
        return bool(best) and crosses(order, best[0].price)

    def amend(self, command: c.AmendOrder) -> CommandResult:
        order = self.find(command)
        if order is None:
            return CommandResult(R.ORDER_NOT_FOUND)
        market = self.markets[order.instrument_id]
        wish = copy.copy(order)
        wish.price, wish.quantity = command.price or order.price, command.quantity or order.quantity
        wish.leaves = wish.quantity - order.filled
        code = self.amend_refusal(order, wish)
        if code is not R.OK:
            return CommandResult(code)
        price, quantity = wish.price, wish.quantity
        keeps_place = price == order.price and quantity <= order.quantity
        order.price, order.quantity, order.leaves = price, quantity, quantity - order.filled
        if keeps_place:
            order.visible = min(order.visible, order.leaves)
            return CommandResult(R.OK, order.order_id)
        order.reserve = wish.reserve
        if order.state != "waiting":
            order.state = "working"
            self.work(order)
            self.wake(market)
        return CommandResult(R.OK, order.order_id)

    def amend_refusal(self, order: NaiveOrder, wish: NaiveOrder) -> ResultCode:
        """Return why a change is refused, or OK."""
        if order.reduce_only and wish.quantity > order.quantity:
            return R.ORDER_NOT_AMENDABLE
        if wish.leaves <= 0:
            return R.FILTER_QUANTITY_LOW
        if wish.price and order.order_type not in LIMITS:
            return R.FILTER_COMBINATION
        if order.post_only and self.would_take(wish):
            return R.MATCHING_POST_ONLY
        if self.accounts[order.account].margin_checked and not self.affordable(wish, instead_of=order):
            return R.ACCOUNT_INSUFFICIENT_BALANCE
        return R.OK

    def cancel(self, command: c.CancelOrder) -> CommandResult:
        order = self.find(command)
        if order is None:
            return CommandResult(R.ORDER_NOT_FOUND)
        self.remove(order)
        return CommandResult(R.OK, order.order_id)

    def cancel_all(self, command: c.CancelAll) -> CommandResult:
        self.orders = [order for order in self.orders if order.account != command.account]
        return OK

    def new_order(self, p: c.PlaceOrder) -> NaiveOrder:
        waits = p.order_type not in (OrderType.LIMIT, OrderType.MARKET)
        return NaiveOrder(
            self.next_id, p.account, p.instrument_id, p.client_order_id, p.side, p.order_type, p.quantity, p.price,
            p.trigger_price, p.time_in_force, p.reduce_only, p.post_only, p.position_side, p.trailing_offset,
            p.display_quantity, p.expire_time_ns, p.stp or self.accounts[p.account].stp, p.quantity,
            state="waiting" if waits else "working",
        )  # fmt: skip

    def find(self, command: c.AmendOrder | c.CancelOrder) -> NaiveOrder | None:
        named = [o for o in self.orders if o.account == command.account and o.instrument_id == command.instrument_id]
        wanted = [o for o in named if command.order_id in (0, o.order_id)]
        wanted = [o for o in wanted if command.order_id or o.client_order_id == command.client_order_id]
        return wanted[0] if wanted else None

    def of(self, market: NaiveMarket) -> list[NaiveOrder]:
        return [o for o in self.orders if o.instrument_id == market.instrument.instrument_id]

    def work(self, order: NaiveOrder) -> None:
        """Match a working order and rest or end it."""
        market = self.markets[order.instrument_id]
        prices: list[int] = []
        for meeting in meet(order, self.orders_seen(market), self.clock, market.pro_rata):
            if meeting.kind == "trade":
                self.trade(market, order, meeting)
                prices.append(meeting.price)
            else:
                self.prevent(order, meeting)
            if order not in self.orders:
                break
        if prices:
            market.last = prices[-1]
            market.prints += [prices[0]] if prices[0] == prices[-1] else [prices[0], prices[-1]]
        if order not in self.orders or not order.leaves:
            self.remove(order)
        elif order.order_type in LIMITS and order.time_in_force not in (TimeInForce.IOC, TimeInForce.FOK):
            order.state, order.visible, order.priority = "resting", order.shows(), self.clock.next()
        else:
            self.remove(order)

    def orders_seen(self, market: NaiveMarket) -> list[NaiveOrder]:
        """Return the orders of a market; those that leave are marked done, so the list stays true while it is used."""
        return self.of(market)

    def trade(self, market: NaiveMarket, taker: NaiveOrder, meeting: Meeting) -> None:
        market.trades.append((market.next_trade, meeting.price, meeting.quantity))
        market.next_trade += 1
        for order, rate in ((meeting.maker, market.maker), (taker, market.taker)):
            self.fill(market, order, meeting.price, meeting.quantity, rate)
            if not order.leaves:
                self.remove(order)
            self.trim(order.account, market)

    def fill(self, market: NaiveMarket, order: NaiveOrder, price: int, quantity: int, rate: Fraction) -> None:
        order.filled += quantity
        order.cost += price * quantity
        signed = quantity if order.buys else -quantity
        notional = price * quantity * market.unit_value
        if market.perpetual:
            self.move_position(order.account, market, signed, price * market.unit_value)
        else:
            self.pay(order.account, market.base, signed * market.quantity_value)
            self.pay(order.account, market.quote, -notional if order.buys else notional)
        if market.received and order.buys and not market.perpetual:
            self.charge(order.account, market.base, fee_of(quantity * market.quantity_value, rate))
            return
        fee = fee_of(notional, rate)
        order.reserve -= min(order.reserve, max(fee, 0))
        if self.accounts[order.account].margin_checked and not market.perpetual:
            fee = min(fee, max(0, self.free(order.account, market.quote)))
        self.charge(order.account, market.quote, fee)

    def move_position(self, account: str, market: NaiveMarket, signed: int, value: int) -> None:
        """Open or close one unit at a time would be the obvious way; this is the same, in one step."""
        held = self.positions.setdefault((account, market.instrument.instrument_id), [0, 0, 0])
        quantity, cost, _ = held
        opposite = quantity * signed < 0
        closed = min(abs(quantity), abs(signed)) if opposite else 0
        released = cost * closed // abs(quantity) if closed else 0
        direction = 1 if quantity > 0 else -1
        profit = direction * closed * value - released
        held[0] = quantity + signed
        held[1] = cost - released + (signed + direction * closed) * value
        held[2] += profit
        self.pay(account, market.quote, profit)

    def prevent(self, taker: NaiveOrder, meeting: Meeting) -> None:
        maker = meeting.maker
        if meeting.kind == "both_down":
            for order in (maker, taker):
                if order.leaves:
                    order.quantity -= meeting.quantity
                else:
                    self.remove(order)
        if meeting.kind in ("maker_out", "both_out"):
            self.remove(maker)
        if meeting.kind in ("taker_out", "both_out"):
            self.remove(taker)

    def trim(self, account: str, market: NaiveMarket) -> None:
        for order in [o for o in self.of(market) if o.account == account and o.reduce_only]:
            most = self.reducible(order)
            if not most:
                self.remove(order)
            elif order.leaves > most:
                order.quantity -= order.leaves - most
                order.leaves, order.visible = most, min(order.visible, most)

    def wake(self, market: NaiveMarket) -> None:
        while market.prints:
            price = market.prints.pop(0)
            waiting = [order for order in self.of(market) if order.state == "waiting"]
            fired = [order for order in waiting if triggered(order, price)]
            for order in waiting:
                if order not in fired:
                    follow(order, price)
            for order in fired:
                order.state = "fired"
            for order in fired:
                if order in self.orders:
                    self.activate(order)

    def activate(self, order: NaiveOrder) -> None:
        order.state = "working"
        if order.reduce_only:
            order.leaves = min(order.leaves, self.reducible(order))
            order.quantity = order.filled + order.leaves
        unfillable = order.time_in_force is TimeInForce.FOK and self.trial(order)[0] < order.leaves
        checked = self.accounts[order.account].margin_checked
        if unfillable or not order.leaves or (checked and not self.affordable(order, order, reserve_anew=False)):
            self.remove(order)
        else:
            self.work(order)

    def remove(self, order: NaiveOrder) -> None:
        order.state = "done"
        self.orders = [other for other in self.orders if other is not order]

    def reducible(self, order: NaiveOrder) -> int:
        market = self.markets[order.instrument_id]
        if market.perpetual:
            held = self.positions.get((order.account, order.instrument_id), [0])[0]
        else:
            total = self.totals.get((order.account, market.base), 0)
            held = -(-total // market.quantity_value) if total < 0 else total // market.quantity_value
        return max(0, -held if order.buys else held)

    def trial(self, order: NaiveOrder) -> tuple[int, int]:
        """Return quantity and price * quantity that an order would trade now, by trying on copies."""
        market = self.markets[order.instrument_id]
        copies = [copy.copy(other) for other in self.of(market) if other is not order]
        met = [m for m in meet(copy.copy(order), copies, copy.copy(self.clock), market.pro_rata) if m.kind == "trade"]
        return sum(m.quantity for m in met), sum(m.price * m.quantity for m in met)

    def affordable(self, order: NaiveOrder, instead_of: NaiveOrder | None = None, reserve_anew: bool = True) -> bool:
        market = self.markets[order.instrument_id]
        if not order.buys:
            back = self.lock(instead_of) if instead_of else 0
            return self.free(order.account, market.base) + back >= order.leaves * market.quantity_value
        units = order.leaves * order.price
        if not order.price:
            units = 0 if order.state == "waiting" else self.trial(order)[1]
        notional = units * market.unit_value
        back = self.lock(instead_of) if instead_of else 0
        if reserve_anew and not market.received:
            order.reserve = max(0, fee_of(notional, market.maker), fee_of(notional, market.taker))
        return self.free(order.account, market.quote) + back >= notional + order.reserve

    def lock(self, order: NaiveOrder) -> int:
        market = self.markets[order.instrument_id]
        if not self.accounts[order.account].margin_checked or market.perpetual or not order.leaves:
            return 0
        if not order.buys:
            return order.leaves * market.quantity_value
        return order.leaves * order.price * market.unit_value + order.reserve if order.price else 0

    def locked(self, account: str, asset: str) -> int:
        mine = [order for order in self.orders if order.account == account]
        held = [(o, self.markets[o.instrument_id]) for o in mine]
        return sum(self.lock(o) for o, market in held if (market.quote if o.buys else market.base) == asset)

    def free(self, account: str, asset: str) -> int:
        return self.totals.get((account, asset), 0) - self.locked(account, asset)

    def pay(self, account: str, asset: str, money: int) -> None:
        self.totals[account, asset] = self.totals.get((account, asset), 0) + money

    def charge(self, account: str, asset: str, fee: int) -> None:
        self.pay(account, asset, -fee)
        self.pay("@fees", asset, fee)

    def state_hash(self) -> str:
        """Return the canonical hash."""
        return hash_rows(self.rows())

    def rows(self) -> list[Row]:
        rows: list[Row] = [("venue", str(self.now), str(self.next_id))]
        rows += [("external", asset, str(money)) for asset, money in self.external.items() if money]
        for (account, asset), total in self.totals.items():
            locked = self.locked(account, asset)
            if total or locked:
                rows.append(("balance", account, asset, str(total), str(locked)))
        for (account, name), held in self.positions.items():
            if any(held):
                rows.append(("position", account, name, "net", *map(str, held)))
        for name, market in self.markets.items():
            figures = (market.next_trade, market.last, 0, 0, 0)
            rows.append(("market", name, "trading", "0", *map(str, figures)))
            for buys in (True, False):
                for place, order in enumerate(side_of(self.of(market), buys)):
                    rows.append(("resting", str(place), *self.row(order)))
            for order in self.of(market):
                if order.state == "waiting":
                    trail = (order.trigger_price, order.anchor, order.trailing_offset)
                    rows.append(("pending", *map(str, trail), *self.row(order)))
        return rows

    def row(self, o: NaiveOrder) -> Row:
        names = (o.account, o.instrument_id, o.client_order_id, o.side, o.order_type)
        rules = (o.time_in_force, o.position_side, o.stp)
        shown = o.visible if o.state == "resting" else 0
        figures = (o.order_id, o.price, o.quantity, o.leaves, shown, o.display, o.filled, o.cost, self.lock(o))
        more = (o.reserve, o.expire_time_ns, o.filled > 0, o.reduce_only)
        return (*map(str, names), *map(str, rules), *map(str, figures), *map(str, more))
