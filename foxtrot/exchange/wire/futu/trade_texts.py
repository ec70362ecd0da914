"""What OpenD says when it refuses a trading request, or when an order fails: all texts in one table.

A text in Chinese stands as it was seen from a real OpenD, whose default language that is; the English ones about SIMULATE were
seen too. The rest is Foxtrot's wording: Futu's documentation lists no texts.
"""

from collections.abc import Mapping
from typing import Final

from foxtrot.exchange.result import CommandResult, ResultCode
from foxtrot.exchange.wire.futu.refusal import FutuRefused

TEXTS: Final[Mapping[str, str]] = {
    # Seen from a real OpenD, published by its users.
    "too_often": "{name}频率太高，请求失败，每{seconds}秒最多{most}次。",
    "locked": "没有解锁交易，请先解锁交易",
    "buying_power": "购买力不足",
    "simulate_deals": "Simulated trade does not support deal list",
    "simulate_fees": "Simulated trade is not supported",
    # The account.
    "account": "Account {acc_id} does not exist; ask for the account list",
    "environment": "Account {acc_id} is not of trade environment {environment}",
    "market": "Account {acc_id} does not trade on market {market}",
    "password": "Unlock failed: the trade password is wrong",
    "no_real_account": "Unlock failed: there is no REAL account",
    # The packet.
    "replayed": "Packet {serial} of connection {connection} was handled before; it is dropped",
    "other_connection": "Packet of connection {connection}, but this is connection {own}",
    # What an order asks for.
    "stock": "Unknown stock {code} on market {market}",
    "side": "Trade side {side} is not supported; only Buy and Sell are",
    "order_type": "Order type {order_type} is not supported on market {market}",
    "connect_only_day_limits": "Shanghai and Shenzhen Connect takes limit orders for the day only, not order type {order_type} with "
    "time in force {time_in_force}",
    "simulate_type": "Simulated trade supports limit and market orders only, not order type {order_type}",
    "simulate_time": "Simulated trade supports DAY orders only, not time in force {time_in_force}",
    "simulate_session": "Simulated trade is open in regular trading hours only",
    "simulate_all": "Simulated trade does not support cancelling all orders",
    "time_in_force": "Time in force {time_in_force} is not supported",
    "expire_time": "Expire time {text!r} must be a day to come, as YYYY-MM-DD",
    "session": "Session {session} is not supported",
    "outside_hours": "Only limit orders are filled outside regular trading hours, not order type {order_type}",
    "closed": "Market {market} is closed; order type {order_type} cannot wait for it to open",
    "remark": "Remark has {length} bytes; at most 64 in UTF-8 are allowed",
    "quantity": "Quantity {quantity} must be above 0 and at most {most}",
    "lot": "Quantity {quantity} is not a multiple of the lot size {lot}",
    "price": "Price {price} must be above 0 and below {most}",
    "spread": "Price {price} does not fit the price spread; the nearest prices are {below} and {above}",
    "trigger": "Trigger price {price} does not fit the order; give auxPrice on the price spread",
    "trail": "Trailing stop needs trailType and a trailValue above 0 and below {most}, not {value}",
    "no_price": "There is no price yet of which {value} % could be taken",
    # What the venue refuses.
    "halted": "{name} does not trade now",
    "short": "Not enough position to sell, and short selling is not allowed",
    "too_many": "Too many open orders",
    "refused": "Order refused: {reason}",
    # Orders that exist.
    "order": "Order {order_id} does not exist",
    "ended": "Order {order_id} has ended; it cannot be changed",
    "operation": "Modify operation {operation} is not supported",
    "not_modifiable": "Order {order_id} cannot be modified: {reason}",
    "times": "beginTime and endTime must be YYYY-MM-DD HH:MM:SS",
    # Why an order ended that was accepted.
    "absolute": "The opposite price is not exactly the price of the absolute limit order",
    "no_liquidity": "Nothing stands on the other side",
    "expired": "The order has expired",
}

RESULTS: Final[Mapping[ResultCode, str]] = {
    ResultCode.INSTRUMENT_HALTED: "halted",
    ResultCode.INSTRUMENT_CLOSED: "halted",
    ResultCode.INSTRUMENT_EXPIRED: "halted",
    ResultCode.FILTER_MAX_OPEN_ORDERS: "too_many",
    ResultCode.ACCOUNT_INSUFFICIENT_BALANCE: "buying_power",
    ResultCode.ACCOUNT_INSUFFICIENT_MARGIN: "buying_power",
}
"""The text by what the venue said; any other code is told with the venue's own reason."""


def text(key: str, **values: object) -> str:
    """Return a text of the table with its values.

    Source: replies of real OpenDs where the table says so; Futu OpenAPI documentation, Place Order, Modify or Cancel Orders.
    """
    return TEXTS[key].format(**values)


def refused(key: str, **values: object) -> FutuRefused:
    """Return a refusal with a text of the table.

    Source: Futu OpenAPI documentation, Protocol Introduction (retType, retMsg).
    """
    return FutuRefused(text(key, **values))


def venue_text(result: CommandResult, name: str, *, selling: bool) -> str:
    """Return what OpenD says of a refusal by the venue; a sale that lacks the stock is one that would be short.

    Source: Futu OpenAPI documentation, Place Order; Order, lastErrMsg.
    """
    key = RESULTS.get(result.code, "refused")
    if selling and result.code is ResultCode.ACCOUNT_INSUFFICIENT_BALANCE:
        key = "short"
    return text(key, name=name, reason=result.message)
