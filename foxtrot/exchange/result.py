"""What the venue answers to a command: a code grouped by the part that refuses, and a line for people."""

import enum

import msgspec


class ResultCode(enum.StrEnum):
    """Why a command was done or refused; the part before the dot is the part of the venue that decided."""

    OK = "ok"

    INSTRUMENT_UNKNOWN = "instrument.unknown"
    INSTRUMENT_EXISTS = "instrument.exists"
    INSTRUMENT_UNSUPPORTED = "instrument.unsupported"
    INSTRUMENT_HALTED = "instrument.halted"
    INSTRUMENT_CLOSED = "instrument.closed"
    INSTRUMENT_EXPIRED = "instrument.expired"

    FILTER_PRICE_GRID = "filter.price_grid"
    FILTER_PRICE_MISSING = "filter.price_missing"
    FILTER_PRICE_BAND = "filter.price_band"
    FILTER_TRIGGER = "filter.trigger"
    FILTER_LOT = "filter.lot"
    FILTER_QUANTITY_LOW = "filter.quantity_low"
    FILTER_QUANTITY_HIGH = "filter.quantity_high"
    FILTER_NOTIONAL_LOW = "filter.notional_low"
    FILTER_NOTIONAL_HIGH = "filter.notional_high"
    FILTER_MAX_OPEN_ORDERS = "filter.max_open_orders"
    FILTER_EXPIRY = "filter.expiry"
    FILTER_DISPLAY = "filter.display"
    FILTER_COMBINATION = "filter.combination"

    ACCOUNT_UNKNOWN = "account.unknown"
    ACCOUNT_EXISTS = "account.exists"
    ACCOUNT_INSUFFICIENT_BALANCE = "account.insufficient_balance"
    ACCOUNT_INSUFFICIENT_MARGIN = "account.insufficient_margin"
    ACCOUNT_POSITION_SIDE = "account.position_side"
    ACCOUNT_NOTHING_TO_REDUCE = "account.nothing_to_reduce"
    ACCOUNT_AMOUNT = "account.amount"
    ACCOUNT_DUPLICATE_CLIENT_ID = "account.duplicate_client_id"
    ACCOUNT_LEVERAGE = "account.leverage"
    ACCOUNT_HAS_ORDERS = "account.has_orders"
    ACCOUNT_HAS_POSITION = "account.has_position"

    MATCHING_POST_ONLY = "matching.post_only_would_take"
    MATCHING_FOK = "matching.fill_or_kill_unfillable"
    MATCHING_NO_LIQUIDITY = "matching.no_liquidity"
    MATCHING_SELF_TRADE = "matching.self_trade"
    MATCHING_EXTERNAL_ONLY = "matching.external_only"

    ORDER_NOT_FOUND = "order.not_found"
    ORDER_NOT_AMENDABLE = "order.not_amendable"
    ORDER_NOT_CONDITIONAL = "order.not_conditional"
    ORDER_PAIR = "order.pair"


class CommandResult(msgspec.Struct, frozen=True, gc=False):
    """The answer to one command; `order_id` is 0 where the command made or named no order."""

    code: ResultCode
    order_id: int = 0
    message: str = ""

    @property
    def ok(self) -> bool:
        """Tell whether the command was done."""
        return self.code is ResultCode.OK


DONE = CommandResult(ResultCode.OK)
"""The answer to a command that was done and has nothing to tell."""
