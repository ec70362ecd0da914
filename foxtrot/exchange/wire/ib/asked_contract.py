"""The contract of a request as a client wrote it: any of its fields may be empty."""

import msgspec

from foxtrot.exchange.wire.ib.layout import FieldReader, is_unset


class AskedContract(msgspec.Struct, frozen=True, kw_only=True):
    """What a client says about a contract; "" and 0 where it says nothing."""

    con_id: int = 0
    symbol: str = ""
    sec_type: str = ""
    expiry: str = ""
    strike: str = ""
    right: str = ""
    multiplier: str = ""
    exchange: str = ""
    primary_exchange: str = ""
    currency: str = ""
    local_symbol: str = ""
    trading_class: str = ""


def read_contract(reader: FieldReader, _version: int) -> AskedContract:
    """Take the twelve fields with which every request names its contract.

    Args:
        reader: stands before the contract's id.
        _version: the server version that both speak; the twelve are the same in all that are served.

    Raises:
        IbRefused: a field is missing, or no number where it must be one.

    Source: EClient of ibapi 9.81 (reqMktData, reqContractDetails, placeOrder).
    """
    con_id = reader.whole()
    symbol, sec_type, expiry = reader.text(), reader.text(), reader.text()
    strike = reader.decimal()
    right, multiplier, exchange, primary = reader.text(), reader.text(), reader.text(), reader.text()
    currency, local_symbol, trading_class = reader.text(), reader.text(), reader.text()
    return AskedContract(
        con_id=con_id,
        symbol=symbol.strip().upper(),
        sec_type=sec_type.strip().upper(),
        expiry=expiry.strip(),
        strike=format(strike.normalize(), "f") if strike else "",
        right=_right(right),
        multiplier="" if is_unset(multiplier) else multiplier,
        exchange=exchange.strip().upper(),
        primary_exchange=primary.strip().upper(),
        currency=currency.strip().upper(),
        local_symbol=local_symbol.strip(),
        trading_class=trading_class.strip(),
    )


def _right(text: str) -> str:
    """Return C or P; a client may write the word, and 0 or ? for none."""
    told = text.strip().upper()
    return told[:1] if told in ("C", "P", "CALL", "PUT") else ""
