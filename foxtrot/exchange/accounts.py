"""Accounts: balances, positions, open orders, and the ledger in which no unit of money is ever lost.

Every movement has two sides. Two house accounts take part: FEES collects fees, INSURANCE takes over what liquidation leaves;
what enters or leaves the venue is counted in `external`. `Ledger.validate` checks that all of it adds up.
"""

from foxtrot.domain.enums import PositionMode, PositionSide, SelfTradePrevention
from foxtrot.domain.errors import InvariantBroken
from foxtrot.exchange.working_order import WorkingOrder

FEES = "@fees"
INSURANCE = "@insurance"
HOUSE = (FEES, INSURANCE)
"""Accounts of the venue itself; never refused, never liquidated."""

PositionKey = tuple[str, PositionSide]


class Balance:
    """One asset of one account, in money units; `locked` is the part held for open orders.

    Thread: belongs to its venue.
    """

    __slots__ = ("locked", "total")

    def __init__(self, total: int = 0, locked: int = 0) -> None:
        self.total = total
        self.locked = locked

    @property
    def free(self) -> int:
        """Return what is not held for orders."""
        return self.total - self.locked


class Position:
    """One position: signed quantity in units, signed cost of it and realised profit in money of the settle asset.

    `open_buys` and `open_sells` are the notional of the account's working orders that would change it, for margin;
    `leverage` is what its owner chose, 0 for the instrument's own margin rate.

    Thread: belongs to its venue.
    """

    __slots__ = ("cost", "leverage", "open_buys", "open_sells", "quantity", "realised")

    def __init__(self, quantity: int = 0, cost: int = 0, realised: int = 0, leverage: int = 0) -> None:
        self.quantity = quantity
        self.cost = cost
        self.realised = realised
        self.leverage = leverage
        self.open_buys = 0
        self.open_sells = 0

    def fill(self, quantity: int, unit_value: int) -> int:
        """Apply a signed quantity at a price, `unit_value` being the money of one unit; return the realised profit.

        Cost leaves in proportion to the quantity closed, rounded down to the money grid; the rest stays, so nothing is lost.
        """
        held = self.quantity
        if held == 0 or (held > 0) == (quantity > 0):
            self.quantity = held + quantity
            self.cost += quantity * unit_value
            return 0
        signed = min(held, -quantity) if held > 0 else max(held, -quantity)
        released = self.cost * signed // held
        profit = signed * unit_value - released
        opening = quantity + signed
        self.quantity = held + quantity
        self.cost = self.cost - released + opening * unit_value
        self.realised += profit
        return profit

    def unrealised(self, unit_value: int) -> int:
        """Return the profit that closing at a price would give."""
        return self.quantity * unit_value - self.cost


class Account:
    """One customer's balances, positions and open orders (by id and by the customer's own id).

    Thread: belongs to its venue.
    """

    __slots__ = (
        "allow_short",
        "balances",
        "client_ids",
        "fee_asset",
        "fee_plan",
        "leverages",
        "margin_checked",
        "name",
        "orders",
        "position_mode",
        "positions",
        "reduce_only_orders",
        "stp",
    )

    def __init__(
        self,
        name: str,
        *,
        position_mode: PositionMode = PositionMode.NETTING,
        margin_checked: bool = True,
        stp: SelfTradePrevention = SelfTradePrevention.NONE,
        fee_asset: str = "",
        allow_short: bool = False,
        fee_plan: str = "",
    ) -> None:
        self.name = name
        self.position_mode = position_mode
        self.margin_checked = margin_checked
        self.stp = stp
        self.fee_asset = fee_asset
        self.allow_short = allow_short
        self.fee_plan = fee_plan
        self.balances: dict[str, Balance] = {}
        self.leverages: dict[str, int] = {}
        self.positions: dict[PositionKey, Position] = {}
        self.orders: dict[int, WorkingOrder] = {}
        self.client_ids: dict[str, WorkingOrder] = {}
        self.reduce_only_orders = 0

    def balance(self, asset: str) -> Balance:
        """Return the balance of an asset, made when it is first asked for."""
        found = self.balances.get(asset)
        if found is None:
            found = self.balances[asset] = Balance()
        return found

    def position(self, instrument_id: str, side: PositionSide) -> Position:
        """Return a position, made when it is first asked for."""
        key = (instrument_id, side)
        found = self.positions.get(key)
        if found is None:
            found = self.positions[key] = Position(leverage=self.leverages.get(instrument_id, 0))
        return found

    def set_leverage(self, instrument_id: str, leverage: int) -> None:
        """Margin every position of an instrument, present and future, at 1 / leverage."""
        self.leverages[instrument_id] = leverage
        for (held_id, _), position in self.positions.items():
            if held_id == instrument_id:
                position.leverage = leverage

    def add_order(self, order: WorkingOrder) -> None:
        """Note an open order."""
        self.orders[order.order_id] = order
        self.client_ids[order.client_order_id] = order
        if order.reduce_only:
            self.reduce_only_orders += 1

    def remove_order(self, order: WorkingOrder) -> None:
        """Forget an order that is no longer open."""
        del self.orders[order.order_id]
        del self.client_ids[order.client_order_id]
        if order.reduce_only:
            self.reduce_only_orders -= 1


class Ledger:
    """All accounts of a venue, the house's included, and what has come in from outside.

    Thread: belongs to its venue.
    """

    def __init__(self) -> None:
        self.accounts: dict[str, Account] = {name: Account(name, margin_checked=False) for name in HOUSE}
        self.watched: list[Account] = []
        self.external: dict[str, int] = {}
        self.fees = self.accounts[FEES]
        self.insurance = self.accounts[INSURANCE]

    def add(self, account: Account) -> None:
        """Take a new account in; one that is checked for margin is watched for liquidation."""
        self.accounts[account.name] = account
        if account.margin_checked:
            self.watched.append(account)

    def adopt_house(self) -> None:
        """Take the house accounts from `accounts` after these were replaced."""
        self.fees = self.accounts[FEES]
        self.insurance = self.accounts[INSURANCE]

    def bring_in(self, asset: str, money: int) -> None:
        """Count money that enters (negative: leaves) the venue."""
        self.external[asset] = self.external.get(asset, 0) + money

    def validate(self, settle_assets: dict[str, str]) -> None:
        """Check that all money is accounted for.

        Args:
            settle_assets: instrument id → settle asset, for derivatives only.

        Raises:
            InvariantBroken: naming the asset and the difference.
        """
        held: dict[str, int] = {}
        for account in self.accounts.values():
            for asset, balance in account.balances.items():
                held[asset] = held.get(asset, 0) + balance.total
            for (instrument_id, _), position in account.positions.items():
                settle = settle_assets.get(instrument_id)
                if settle is not None:
                    held[settle] = held.get(settle, 0) - position.cost
        for asset in held.keys() | self.external.keys():
            difference = held.get(asset, 0) - self.external.get(asset, 0)
            if difference:
                raise InvariantBroken(f"{asset}: {difference} money units too many in the accounts")
