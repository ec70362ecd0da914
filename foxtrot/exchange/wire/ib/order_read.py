"""Reads placeOrder: its contract, its fields by name, its algo; and refuses what no order here may have."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Final

import msgspec

from foxtrot.exchange.wire.ib.asked_contract import AskedContract, read_contract
from foxtrot.exchange.wire.ib.layout import FieldReader, is_unset
from foxtrot.exchange.wire.ib.order_layouts import (
    PLACE_CLEARING,
    PLACE_FLAGS,
    PLACE_HEAD,
    PLACE_HEDGE,
    PLACE_NEUTRAL,
    PLACE_SCALE,
    PLACE_TAIL,
    PLACE_TERMS,
    algo_text,
)
from foxtrot.exchange.wire.ib.order_texts import refused
from foxtrot.exchange.wire.ib.refusal import IbRefused

BAG, PEG_BENCH = "BAG", "PEG BENCH"
_MOST_PAIRS: Final = 100
_MOST_INT: Final = 2**31
_FLAGS: Final = frozenset({
    "transmit", "blockOrder", "sweepToFill", "outsideRth", "hidden", "allOrNone", "eTradeOnly", "firmQuoteOnly",
    "overridePercentageConstraints", "continuousUpdate", "optOutSmartRouting", "notHeld", "whatIf", "solicited",
    "randomizeSize", "randomizePrice", "dontUseAutoPriceForHedge", "isOmsContainer", "discretionaryUpToLimitPrice",
    "autoCancelParent",
})  # fmt: skip
_INTS: Final = frozenset({
    "origin", "parentId", "displaySize", "triggerMethod", "shortSaleSlot", "exemptCode", "ocaType", "minQty",
    "auctionStrategy", "volatilityType", "referencePriceType", "scaleInitLevelSize", "scaleSubsLevelSize",
    "adjustableTrailingUnit", "usePriceMgmtAlgo", "duration", "postToAts",
})  # fmt: skip
_FLOATS: Final = frozenset({
    "totalQuantity", "lmtPrice", "auxPrice", "discretionaryAmt", "percentOffset", "nbboPriceCap", "startingPrice",
    "stockRefPrice", "delta", "stockRangeLower", "stockRangeUpper", "volatility", "deltaNeutralAuxPrice",
    "trailStopPrice", "trailingPercent", "triggerPrice", "lmtPriceOffset", "adjustedStopPrice",
    "adjustedStopLimitPrice", "adjustedTrailingAmount", "cashQty",
})  # fmt: skip
"""What kind of thing a field must be, for it is told again to everybody who asks for the order."""
_FLAG_TEXTS: Final = {"0": "0", "1": "1", "False": "0", "True": "1", "false": "0", "true": "1"}
_OFF: Final = frozenset({"", "0", "0.0", "False", "false"})


class AskedOrder(msgspec.Struct, frozen=True):
    """What a client writes in placeOrder; `fields` holds what is given, by name, and `algo` is in it as one text."""

    order_id: int
    contract: AskedContract
    fields: Mapping[str, str]

    def text(self, name: str) -> str:
        """Return a field, "" where nothing is given.

        Source: EClient.placeOrder of ibapi 9.81.
        """
        return self.fields.get(name, "")

    def flag(self, name: str) -> bool:
        """Return a flag.

        Source: EClient.placeOrder of ibapi 9.81.
        """
        return self.text(name) not in _OFF

    def whole(self, name: str) -> int:
        """Return a whole number, 0 where nothing is given.

        Raises:
            IbRefused: it is none.

        Source: EClient.placeOrder of ibapi 9.81.
        """
        number = self.number(name)
        if number is None:
            return 0
        if number != number.to_integral_value() or abs(number) >= _MOST_INT:
            raise refused(self.order_id, "field", name=name, text=self.text(name)[:40])
        return int(number)

    def number(self, name: str) -> Decimal | None:
        """Return a number, None where nothing is given.

        Raises:
            IbRefused: it is none, or not finite, or beyond all reason.

        Source: EClient.placeOrder of ibapi 9.81.
        """
        text = self.text(name)
        if not text:
            return None
        try:
            value = Decimal(text)
        except InvalidOperation:
            raise refused(self.order_id, "field", name=name, text=text[:40]) from None
        if not value.is_finite() or (value and not -18 <= value.adjusted() <= 18):
            raise refused(self.order_id, "field", name=name, text=text[:40])
        return value


def read_order(reader: FieldReader, version: int) -> AskedOrder:
    """Read a whole placeOrder.

    Raises:
        IbRefused: it has too few or too many fields, or something that is not served: legs, conditions, a hedge, a scale.

    Source: EClient.placeOrder of ibapi 9.81 (110 fields) and 10.46 (114 fields at 178).
    """
    order_id = reader.whole()
    try:
        return _read(order_id, reader, version)
    except IbRefused as bad:
        raise IbRefused(bad.code, bad.text, order_id if bad.request_id is None else bad.request_id) from None


def _read(order_id: int, reader: FieldReader, version: int) -> AskedOrder:
    contract = read_contract(reader, version)
    given = reader.read(PLACE_HEAD, version)
    if contract.sec_type == BAG:
        raise refused(order_id, "combination")
    if given["orderType"].upper().replace("PEGBENCH", PEG_BENCH) == PEG_BENCH:
        raise refused(order_id, "unsupported_type")
    given |= reader.read(PLACE_TERMS, version)
    if given["deltaNeutralOrderType"]:
        reader.read(PLACE_NEUTRAL, version)
    _refuse_unless_off(order_id, given, "deltaNeutralOrderType", "a delta-neutral order")
    given |= reader.read(PLACE_SCALE, version)
    _refuse_unless_off(order_id, given, "scalePriceIncrement", "a scale order")
    given |= reader.read(PLACE_HEDGE, version)
    _refuse_unless_off(order_id, given, "hedgeType", "a hedge order")
    given |= reader.read(PLACE_CLEARING, version)
    _refuse_unless_off(order_id, given, "deltaNeutralContract", "a delta-neutral contract")
    given["algoStrategy"] = _algo(order_id, reader)
    given |= reader.read(PLACE_FLAGS, version)
    if given["conditionsCount"] not in _OFF:
        raise refused(order_id, "conditions")
    given |= reader.read(PLACE_TAIL, version)
    reader.end()
    return _checked(AskedOrder(order_id, contract, {name: text for name, text in given.items() if not is_unset(text)}))


def _checked(asked: AskedOrder) -> AskedOrder:
    """Return an order of which every flag is a flag, and every number one."""
    fields = dict(asked.fields)
    for name, text in asked.fields.items():
        if name in _FLAGS:
            if text not in _FLAG_TEXTS:
                raise refused(asked.order_id, "field", name=name, text=text[:40])
            fields[name] = _FLAG_TEXTS[text]
        elif name in _INTS:
            fields[name] = str(asked.whole(name))
        elif name in _FLOATS:
            asked.number(name)
    return msgspec.structs.replace(asked, fields=fields)


def _refuse_unless_off(order_id: int, given: Mapping[str, str], name: str, what: str) -> None:
    text = given[name]
    if not is_unset(text) and text not in _OFF and text.upper() != "NONE":
        raise refused(order_id, "unsupported", what=what)


def _algo(order_id: int, reader: FieldReader) -> str:
    strategy = reader.text()
    if not strategy:
        return ""
    count = reader.whole()
    if not 0 <= count <= _MOST_PAIRS:
        raise refused(order_id, "field", name="the number of algo parameters", text=count)
    return algo_text(strategy, tuple(reader.text() for _ in range(2 * count)))
