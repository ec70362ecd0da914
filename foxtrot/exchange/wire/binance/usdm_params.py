"""The parameters of a USD-M call, read one by one; each misspelling has Binance's own refusal."""

import re
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import TypeVar

import msgspec

from foxtrot.domain.enums import PositionSide, SelfTradePrevention, Side
from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.wire.binance.api_error import ApiError
from foxtrot.exchange.wire.binance.numbers import parse_units
from foxtrot.exchange.wire.binance.usdm_errors import missing

SIDES = {"BUY": Side.BUY, "SELL": Side.SELL}
POSITION_SIDES = {"BOTH": PositionSide.NET, "LONG": PositionSide.LONG, "SHORT": PositionSide.SHORT}
PREVENTIONS = {
    "NONE": SelfTradePrevention.NONE,
    "EXPIRE_TAKER": SelfTradePrevention.CANCEL_NEWEST,
    "EXPIRE_MAKER": SelfTradePrevention.CANCEL_OLDEST,
    "EXPIRE_BOTH": SelfTradePrevention.CANCEL_BOTH,
}
FLAGS = {"true": True, "false": False}
WORKING_TYPES = {"CONTRACT_PRICE": "CONTRACT_PRICE", "MARK_PRICE": "MARK_PRICE"}
_ID = re.compile(r"[.A-Z:/a-z0-9_-]{1,36}")
_NUMBER = re.compile(r"-?[0-9]{1,19}")
_MOST_PER_PAGE = 1000
Choice = TypeVar("Choice")


class Params:
    """The parameters of one call; a name may also be spelled in lower case, as some clients do in batch calls.

    Source: Binance USDⓈ-M Futures, General Info and Error Codes.
    """

    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values

    def has(self, name: str) -> bool:
        """Tell whether a parameter was sent with a value.

        Source: General Info; an empty parameter counts as not sent.
        """
        return bool(self.text(name))

    def text(self, name: str, default: str = "") -> str:
        """Return a parameter as it came.

        Source: General Info.
        """
        return self.values.get(name) or self.values.get(name.lower()) or default

    def needed(self, name: str) -> str:
        """Return a parameter that must be there.

        Source: Error Codes, -1102.
        """
        if not self.has(name):
            raise missing(name)
        return self.text(name)

    def flag(self, name: str, default: bool = False) -> bool:
        """Return a "true" or "false".

        Source: Error Codes, -1102 for anything else.
        """
        found = FLAGS.get(self.text(name, str(default)).lower())
        if found is None:
            raise missing(name)
        return found

    def integer(self, name: str, default: int = 0) -> int:
        """Return a whole number.

        Source: Error Codes, -1100.
        """
        text = self.text(name, str(default))
        if not _NUMBER.fullmatch(text):
            raise ApiError(
                -1100, f"Illegal characters found in parameter '{name.lower()}'; legal range is '^[0-9]{{1,20}}$'."
            )
        return int(text)

    def decimal(self, name: str) -> Decimal:
        """Return a finite decimal that must be there.

        Source: Error Codes, -1102.
        """
        try:
            value = Decimal(self.needed(name))
        except InvalidOperation:
            raise missing(name) from None
        if not value.is_finite():
            raise missing(name)
        return value

    def choice(self, name: str, table: Mapping[str, Choice], refusal: ApiError, default: str = "") -> Choice:
        """Return what a word of a closed list means.

        Source: Error Codes, -1115 to -1117, -4060, -4031.
        """
        found = table.get(self.text(name, default))
        if found is None:
            raise refusal
        return found

    def side(self) -> Side:
        """Return BUY or SELL.

        Source: Error Codes, -1117.
        """
        self.needed("side")
        return self.choice("side", SIDES, ApiError(-1117, "Invalid side."))

    def position_side(self) -> PositionSide:
        """Return BOTH (also when nothing was sent), LONG or SHORT.

        Source: Error Codes, -4060.
        """
        return self.choice("positionSide", POSITION_SIDES, ApiError(-4060, "Invalid position side."), "BOTH")

    def prevention(self) -> SelfTradePrevention | None:
        """Return the self-trade prevention mode, None when none was sent.

        Source: Error Codes, -5039.
        """
        if not self.has("selfTradePreventionMode"):
            return None
        return self.choice(
            "selfTradePreventionMode", PREVENTIONS, ApiError(-5039, "Invalid self trade prevention mode")
        )

    def client_id(self, name: str, otherwise: str) -> str:
        """Return a customer's id, or the one to give when none was sent.

        Source: Error Codes, -4015; New Order, newClientOrderId.
        """
        text = self.text(name, otherwise)
        if len(text) > 36:
            raise ApiError(-4015, "Client order id length should be less than 36 chars")
        if not _ID.fullmatch(text):
            raise ApiError(-4015, "Client order id is not valid.")
        return text

    def price(self, name: str, instrument: Instrument) -> int:
        """Return a price above zero in units; it must be there.

        Source: Error Codes, -4001, -1111.
        """
        units = parse_units(instrument.price_grid, self.needed(name))
        if units <= 0:
            raise (
                ApiError(-4001, "Price less than 0.")
                if name == "price"
                else ApiError(-4006, "Stop price less than zero.")
            )
        return units

    def quantity(self, instrument: Instrument) -> int:
        """Return a quantity above zero in units; it must be there.

        Source: Error Codes, -4003, -1111.
        """
        units = parse_units(instrument.quantity_grid, self.needed("quantity"))
        if units <= 0:
            raise ApiError(-4003, "Quantity less than or equal to zero.")
        return units

    def rows(self, name: str, kind: type[Choice]) -> list[Choice]:
        """Return a JSON list whose elements are of one kind.

        Source: Place Multiple Orders, batchOrders; Error Codes, -1102.
        """
        try:
            return msgspec.json.decode(self.needed(name), type=list[kind])  # type: ignore[valid-type]
        except (msgspec.MsgspecError, RecursionError):
            raise missing(name) from None

    def ids(self, name: str) -> list[int]:
        """Return a JSON list of whole numbers; some clients send them as text.

        Source: Cancel Multiple Orders, orderIdList; Error Codes, -1102.
        """
        try:
            return msgspec.json.decode(self.needed(name), type=list[int], strict=False)
        except (msgspec.MsgspecError, RecursionError):
            raise missing(name) from None

    def limit(self, default: int = 500) -> int:
        """Return how many rows are wanted at most.

        Source: All Orders and Account Trade List, limit: default 500, max 1000.
        """
        return max(1, min(self.integer("limit", default), _MOST_PER_PAGE))
