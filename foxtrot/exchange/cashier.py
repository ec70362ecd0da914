"""Accounts are opened, and money and assets come in and go out."""

from foxtrot.domain.enums import PositionSide, Product
from foxtrot.domain.errors import ConfigError
from foxtrot.exchange.accounts import Account
from foxtrot.exchange.commands import Deposit, OpenAccount, Withdraw
from foxtrot.exchange.events import AccountOpened, ChargeBooked
from foxtrot.exchange.money import from_decimal
from foxtrot.exchange.result import DONE, CommandResult, ResultCode
from foxtrot.exchange.settlement import MarginSettlement
from foxtrot.exchange.venue_state import VenueState


class Cashier:
    """Opens accounts and moves money over the venue's border.

    Thread: belongs to its venue.
    """

    def __init__(self, state: VenueState, margin: MarginSettlement) -> None:
        self._state = state
        self._margin = margin

    def open_account(self, command: OpenAccount) -> CommandResult:
        """Open an account under a new name."""
        name, stream = command.account, self._state.stream
        if name in self._state.ledger.accounts:
            return CommandResult(ResultCode.ACCOUNT_EXISTS, 0, f"account {name} is open already")
        account = Account(
            name,
            position_mode=command.position_mode,
            margin_checked=command.margin_checked,
            stp=command.stp,
            fee_asset=command.fee_asset,
            allow_short=command.allow_short,
            fee_plan=command.fee_plan,
        )
        self._state.ledger.add(account)
        stream.sink(AccountOpened(stream.next(), stream.time_ns, name))
        return DONE

    def deposit(self, command: Deposit) -> CommandResult:
        """Bring something in."""
        return self._move(command, 1, "deposit")

    def withdraw(self, command: Withdraw) -> CommandResult:
        """Take something out, if it is free."""
        return self._move(command, -1, "withdrawal")

    def _move(self, command: Deposit | Withdraw, sign: int, kind: str) -> CommandResult:
        state, asset = self._state, command.asset
        account = state.ledger.accounts.get(command.account)
        if account is None:
            return CommandResult(ResultCode.ACCOUNT_UNKNOWN, 0, f"account {command.account} is not open")
        try:
            money = from_decimal(command.amount)
        except ConfigError as error:
            return CommandResult(ResultCode.ACCOUNT_AMOUNT, 0, str(error))
        if money <= 0:
            return CommandResult(ResultCode.ACCOUNT_AMOUNT, 0, f"amount {command.amount} must be above 0")
        if sign < 0 and account.margin_checked and money > self._withdrawable(account, asset):
            message = f"{command.amount} {asset} is more than account {account.name} has free"
            return CommandResult(ResultCode.ACCOUNT_INSUFFICIENT_BALANCE, 0, message)
        account.balance(asset).total += sign * money
        state.ledger.bring_in(asset, sign * money)
        state.touched_balances[account.name, asset] = None
        self._note_holding(account, asset, sign * money)
        stream = state.stream
        stream.sink(ChargeBooked(stream.next(), stream.time_ns, account.name, asset, sign * command.amount, kind))
        return DONE

    def _withdrawable(self, account: Account, asset: str) -> int:
        balance = account.balance(asset)
        margin_free = self._margin.equity(account, asset) - self._margin.required(account, asset)
        return min(balance.free, margin_free)

    def _note_holding(self, account: Account, asset: str, money: int) -> None:
        """A stock that comes in is a position too, at no cost."""
        for market in self._state.markets.values():
            if market.instrument.product is Product.STOCK and market.instrument.base_asset == asset:
                position = account.position(market.instrument_id, PositionSide.NET)
                position.fill(money // market.quantity_value, 0)
                self._state.touched_positions[account.name, market.instrument_id, PositionSide.NET] = None
                return
