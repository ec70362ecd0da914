"""What an account chooses for its derivatives: the leverage of each instrument, and one net position or two."""

from foxtrot.exchange.accounts import Account
from foxtrot.exchange.commands import SetLeverage, SetPositionMode
from foxtrot.exchange.events import LeverageChanged, PositionModeChanged
from foxtrot.exchange.market import Market
from foxtrot.exchange.result import DONE, CommandResult, ResultCode
from foxtrot.exchange.settlement import MarginSettlement
from foxtrot.exchange.venue_state import VenueState

HIGHEST_LEVERAGE = 125


def most_leverage(market: Market) -> int:
    """Return the highest leverage of an instrument: its initial margin may not fall below the maintenance margin."""
    rate = market.maintenance_margin
    return HIGHEST_LEVERAGE if not rate else max(1, min(HIGHEST_LEVERAGE, rate.denominator // rate.numerator))


def leverage_of(account: Account, market: Market) -> int:
    """Return the leverage an account chose, else the one that the instrument's initial margin rate means."""
    chosen, rate = account.leverages.get(market.instrument_id, 0), market.initial_margin
    if chosen:
        return chosen
    return max(1, rate.denominator // rate.numerator) if rate else most_leverage(market)


class AccountSettings:
    """Changes the settings of accounts.

    Thread: belongs to its venue.
    """

    def __init__(self, state: VenueState, margin: MarginSettlement) -> None:
        self._state = state
        self._margin = margin

    def set_leverage(self, command: SetLeverage) -> CommandResult:
        """Set the leverage of one instrument; a higher requirement must be covered."""
        account = self._state.ledger.accounts.get(command.account)
        market = self._state.markets.get(command.instrument_id)
        if account is None:
            return _unknown(command.account)
        if market is None or not market.derivative:
            message = f"{command.instrument_id} is no derivative that is listed"
            return CommandResult(ResultCode.INSTRUMENT_UNKNOWN, 0, message)
        most = most_leverage(market)
        if not 1 <= command.leverage <= most:
            return CommandResult(
                ResultCode.ACCOUNT_LEVERAGE, 0, f"leverage {command.leverage} must be within 1 and {most}"
            )
        if not self._bears(account, market, command.leverage):
            message = f"account {account.name} cannot cover leverage {command.leverage}"
            return CommandResult(ResultCode.ACCOUNT_INSUFFICIENT_MARGIN, 0, message)
        stream = self._state.stream
        account.set_leverage(market.instrument_id, command.leverage)
        stream.sink(
            LeverageChanged(stream.next(), stream.time_ns, account.name, market.instrument_id, command.leverage)
        )
        return DONE

    def set_position_mode(self, command: SetPositionMode) -> CommandResult:
        """Set the position mode while the account holds no derivative and has no order for one."""
        account = self._state.ledger.accounts.get(command.account)
        if account is None:
            return _unknown(command.account)
        if account.position_mode is command.position_mode:
            return DONE
        refused = self._mode_refusal(account)
        if refused is not None:
            return refused
        account.position_mode = command.position_mode
        stream = self._state.stream
        stream.sink(PositionModeChanged(stream.next(), stream.time_ns, account.name, command.position_mode))
        return DONE

    def _bears(self, account: Account, market: Market, leverage: int) -> bool:
        if not account.margin_checked:
            return True
        asset, chosen = market.money_asset, account.leverages.get(market.instrument_id, 0)
        before = self._margin.required(account, asset)
        account.set_leverage(market.instrument_id, leverage)
        after = self._margin.required(account, asset)
        account.set_leverage(market.instrument_id, chosen)
        if not chosen:
            del account.leverages[market.instrument_id]
        return after <= before or self._margin.equity(account, asset) >= after

    def _mode_refusal(self, account: Account) -> CommandResult | None:
        markets = self._state.markets
        if any(markets[order.instrument_id].derivative for order in account.orders.values()):
            message = f"account {account.name} has open orders of derivatives; cancel them first"
            return CommandResult(ResultCode.ACCOUNT_HAS_ORDERS, 0, message)
        if any(held.quantity and markets[key[0]].derivative for key, held in account.positions.items()):
            message = f"account {account.name} holds derivatives; close them first"
            return CommandResult(ResultCode.ACCOUNT_HAS_POSITION, 0, message)
        return None


def _unknown(account: str) -> CommandResult:
    return CommandResult(ResultCode.ACCOUNT_UNKNOWN, 0, f"account {account} is not open")
