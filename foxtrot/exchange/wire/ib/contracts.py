"""What is told about contracts: their details, what fits a pattern, and the steps of their prices."""

from collections.abc import Mapping
from typing import Final

from foxtrot.exchange.wire.ib.asked_contract import AskedContract, read_contract
from foxtrot.exchange.wire.ib.connection import IbClient
from foxtrot.exchange.wire.ib.contract_hours import hours_text
from foxtrot.exchange.wire.ib.contract_layouts import (
    CONTRACT_DETAILS,
    CONTRACT_DETAILS_END,
    MARKET_RULE,
    NO_SYMBOL_SAMPLES,
    SAMPLE_HAS_DESCRIPTION,
    SYMBOL_SAMPLES,
)
from foxtrot.exchange.wire.ib.endpoint import Handler, Send
from foxtrot.exchange.wire.ib.ib_contract import CASH, FUT, OPT, SMART, STK, IbContract
from foxtrot.exchange.wire.ib.layout import FieldReader, Value
from foxtrot.exchange.wire.ib.quote_layouts import joined
from foxtrot.exchange.wire.ib.quote_requests import about
from foxtrot.exchange.wire.ib.refusal import NO_DEFINITION, VALIDATION, IbRefused
from foxtrot.exchange.wire.ib.venue_side import IbSide

NO_DEFINITION_TEXT: Final = "No security definition has been found for the request"
_SEC_TYPES: Final = (
    STK,
    FUT,
    CASH,
    OPT,
    "IND",
    "FOP",
    "BOND",
    "CFD",
    "CMDTY",
    "CONTFUT",
    "FUND",
    "NEWS",
    "WAR",
    "CRYPTO",
    "BAG",
)
_ORDER_TYPES: Final = (
    "ACTIVETIM,ADJUST,ALERT,ALLOC,COND,DAY,DEACT,GAT,GTC,GTD,IOC,LIT,LMT,MIT,MKT,OCA,STP,STPLMT,TRAIL,TRAILLIT,WHATIF"
)
_MOST_SAMPLES: Final = 16


class Contracts:
    """Answers requests about contracts; nothing of them is kept, and nothing told unasked.

    Thread: exchange-io.
    """

    def __init__(self, side: IbSide, send: Send) -> None:
        self._side = side
        self._send = send

    def handlers(self) -> Mapping[int, Handler]:
        """Return what it answers, by message id.

        Source: EClient of ibapi 9.81.
        """
        return {9: self._details, 81: self._samples, 91: self._rule}

    # --- inside -----------------------------------------------------------------------------------------------------

    def _details(self, client: IbClient, reader: FieldReader) -> None:
        reader.whole()  # the version of the request
        request_id = reader.whole()
        with about(request_id):
            asked = read_contract(reader, client.version)
            include_expired = reader.flag()
            reader.text()  # secIdType: contracts here have neither ISIN nor CUSIP
            sec_id = reader.text()
            if client.version >= SAMPLE_HAS_DESCRIPTION:
                reader.text()
            reader.end()
            found = [] if sec_id else self._found(asked, include_expired=include_expired)
            if not found:
                raise IbRefused(NO_DEFINITION, NO_DEFINITION_TEXT)
        for contract in found:
            self._send(client, CONTRACT_DETAILS, {"request_id": request_id, **self._row(contract, asked.exchange)})
        self._send(client, CONTRACT_DETAILS_END, {"request_id": request_id})

    def _found(self, asked: AskedContract, *, include_expired: bool) -> list[IbContract]:
        if not asked.con_id and asked.sec_type not in _SEC_TYPES:
            raise IbRefused(VALIDATION, "Error validating request.-'bN' : cause - Please enter a valid security type")
        return self._side.contracts.find(asked, include_expired=include_expired)

    def _row(self, contract: IbContract, asked_exchange: str) -> dict[str, Value]:
        """Return what is told of a contract; on the exchange that was asked for, where one was."""
        now_ns, always_open = self._side.now_ns(), self._side.settings.always_open
        under = self._side.contracts.of_instrument(contract.instrument.underlying)
        return {
            "symbol": contract.symbol,
            "sec_type": contract.sec_type,
            "expiry": contract.expiry_text,
            "strike": contract.strike_text,
            "right": contract.right_text,
            "exchange": asked_exchange or contract.exchange,
            "currency": contract.currency,
            "local_symbol": contract.local_symbol,
            "market_name": contract.trading_class,
            "trading_class": contract.trading_class,
            "con_id": contract.con_id,
            "min_tick": contract.min_tick,
            "multiplier": contract.multiplier_text,
            "order_types": _ORDER_TYPES,
            "valid_exchanges": ",".join(contract.valid_exchanges),
            "under_con_id": 0 if under is None else under.con_id,
            "long_name": contract.long_name,
            "primary_exchange": contract.primary_exchange,
            "contract_month": contract.contract_month,
            "time_zone_id": contract.zone_text,
            "trading_hours": hours_text(contract, now_ns, is_liquid=False, always_open=always_open),
            "liquid_hours": hours_text(contract, now_ns, is_liquid=True, always_open=always_open),
            "under_symbol": contract.under_symbol,
            "under_sec_type": {FUT: "IND", OPT: STK}.get(contract.sec_type, ""),
            "market_rule_ids": ",".join(str(contract.market_rule_id) for _ in contract.valid_exchanges),
            "real_expiration_date": contract.expiry_text,
            "stock_type": "COMMON" if contract.sec_type == STK else "",
            **self._sizes(contract),
        }

    def _sizes(self, contract: IbContract) -> dict[str, Value]:
        instrument = contract.instrument
        smallest = instrument.quantity_grid.to_decimal(max(instrument.min_quantity_units, 1))
        step = instrument.quantity_grid.to_decimal(instrument.lot_units)
        return {
            "size_min_tick": step,
            "min_size": smallest,
            "size_increment": step,
            "suggested_size_increment": 100 if SMART in contract.valid_exchanges and contract.sec_type == STK else step,
        }

    def _samples(self, client: IbClient, reader: FieldReader) -> None:
        request_id = reader.whole()
        with about(request_id):
            pattern = reader.text().strip().upper()
            reader.end()
        found = (
            [one for one in self._side.contracts.all() if _is_sample(one, pattern)][:_MOST_SAMPLES] if pattern else []
        )
        values: list[Value] = []
        for one in found:
            kinds = self._derivatives(one)
            values += [
                one.con_id,
                one.symbol,
                one.sec_type,
                one.primary_exchange or one.exchange,
                one.currency,
                len(kinds),
                *kinds,
            ]
            if client.version >= SAMPLE_HAS_DESCRIPTION:
                values += [one.long_name, ""]
        if values:
            self._send(client, SYMBOL_SAMPLES, {"request_id": request_id, "count": len(found), "rows": joined(values)})
        else:
            self._send(client, NO_SYMBOL_SAMPLES, {"request_id": request_id, "count": 0})

    def _derivatives(self, contract: IbContract) -> list[str]:
        """Return the kinds of contracts that are written on another."""
        listed = self._side.contracts.all()
        return sorted({one.sec_type for one in listed if one.instrument.underlying == contract.instrument_id})

    def _rule(self, client: IbClient, reader: FieldReader) -> None:
        rule_id = reader.whole()
        reader.end()
        rule = self._side.contracts.rule(rule_id)
        if rule is None:
            raise IbRefused(VALIDATION, f"Error validating request: market rule {rule_id} is not known")
        rows = joined(figure for row in rule for figure in row)
        self._send(client, MARKET_RULE, {"rule_id": rule_id, "count": len(rule), "rows": rows})


def _is_sample(one: IbContract, pattern: str) -> bool:
    """Tell whether a share or a pair begins with a pattern, or has it in its name."""
    if one.sec_type not in (STK, CASH):
        return False
    return one.symbol.startswith(pattern) or one.local_symbol.startswith(pattern) or pattern in one.long_name.upper()
