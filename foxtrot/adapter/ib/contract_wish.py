"""What IB is asked for to find the contract of an instrument id of ours, and which id a contract of IB's has here."""

import re
from datetime import date
from typing import Any, Final

import msgspec

from foxtrot.domain.errors import ConfigError

SMART: Final = "SMART"
STOCK, FUTURE, FOREX, OPTION = "STK", "FUT", "CASH", "OPT"
US_SHARES: Final = frozenset({"NASDAQ", "NYSE", "ARCA", "AMEX", "BATS", "IEX"})
"""Listing exchanges of the United States. Source: TWS API, Basic Contracts, primaryExchange."""
FUTURES: Final = {
    "CME": "USD", "CBOT": "USD", "NYMEX": "USD", "COMEX": "USD", "CFE": "USD", "ICEUS": "USD", "EUREX": "EUR", "HKFE": "HKD",
    "OSE.JPN": "JPY", "SGX": "", "ICEEU": "", "SNFE": "AUD",
}  # fmt: skip
"""Exchanges of futures with the money of what trades there, "" where there are several. Source: IB, Product Listings."""
IDEALPRO: Final = "IDEALPRO"
OPRA: Final = "OPRA"
SEHK: Final = "SEHK"
OTHER_NAMES: Final = {
    "ISLAND": "NASDAQ", "GLOBEX": "CME", "ECBOT": "CBOT", "NASDAQ.NMS": "NASDAQ", "NASDAQ.SCM": "NASDAQ", "PINK": "OTC",
}  # fmt: skip
"""Exchanges by the names that IB gave them before. Source: TWS API, release notes of 10.19 and 10.20."""
MONTHS: Final = "FGHJKMNQUVXZ"
"""Codes of the months of delivery, January first. Source: CME Group, Month Codes."""
_FUTURE_ID: Final = re.compile(r"(?P<root>[A-Z0-9]{1,6}?)(?P<month>[FGHJKMNQUVXZ])(?P<year>[0-9]{1,2})")
_OPTION_ID: Final = re.compile(r"(?P<root>[A-Z0-9]{1,6}?)(?P<day>[0-9]{6})(?P<right>[CP])(?P<strike>[0-9]{8})")


class ContractWish(msgspec.Struct, frozen=True):
    """The fields of a contract that IB is asked with; empty ones are left open."""

    sec_type: str = ""
    symbol: str = ""
    exchange: str = ""
    primary_exchange: str = ""
    currency: str = ""
    local_symbol: str = ""
    expiry: str = ""
    strike: float = 0.0
    right: str = ""
    con_id: int = 0

    def fill(self, contract: Any) -> Any:
        """Set the fields of the SDK's contract, and return it."""
        contract.conId = self.con_id
        contract.symbol, contract.secType, contract.exchange = self.symbol, self.sec_type, self.exchange
        contract.primaryExchange, contract.currency = self.primary_exchange, self.currency
        contract.localSymbol, contract.lastTradeDateOrContractMonth = self.local_symbol, self.expiry
        contract.right = self.right
        if self.strike:
            contract.strike = self.strike
        return contract


def wishes_of(instrument_id: str, today: date) -> tuple[ContractWish, ...]:
    """Return what to ask for an instrument, the likeliest first; the next one is asked when IB knows none of it.

    Source: TWS API, Basic Contracts; IB, Symbology: shares and options are asked for at SMART, futures and currencies at their exchange.

    Raises:
        ConfigError: the id has no venue, or is none of that venue's.
    """
    symbol, _, venue = instrument_id.rpartition(".")
    if instrument_id.endswith(".OSE.JPN"):
        symbol, venue = instrument_id.removesuffix(".OSE.JPN"), "OSE.JPN"
    if not symbol or not venue:
        raise ConfigError(
            f"instrument {instrument_id!r} has no venue; write it as AAPL.NASDAQ, ESZ6.CME or EURUSD.IDEALPRO"
        )
    if venue in US_SHARES:
        return (ContractWish(STOCK, symbol.replace(".", " "), SMART, venue, "USD"),)
    if venue == SEHK:
        return (ContractWish(STOCK, symbol.lstrip("0") or symbol, SEHK, "", "HKD"),)
    if venue == IDEALPRO:
        return (_pair(symbol, instrument_id),)
    if venue in FUTURES:
        return _futures(symbol, venue, today)
    if venue == OPRA:
        return (_option(symbol, instrument_id),)
    return (
        ContractWish(STOCK, symbol.replace(".", " "), SMART, venue),
        ContractWish(STOCK, symbol.replace(".", " "), venue),
    )


def id_of(contract: Any) -> str:
    """Return our id of a contract of IB's: its symbol in our spelling, and where it is listed.

    Source: TWS API, Contract: localSymbol, primaryExchange; IB, Symbology.

    Raises:
        ConfigError: it is of a kind that is not traded here.
    """
    kind, symbol = str(contract.secType), str(contract.symbol)
    exchange = _plain_exchange(contract)
    if kind == STOCK:
        if exchange == SEHK:
            return f"{symbol.zfill(5)}.{SEHK}"
        return f"{symbol.replace(' ', '.')}.{exchange}"
    if kind == FOREX:
        return f"{symbol}{contract.currency}.{IDEALPRO}"
    if kind == FUTURE:
        return f"{_future_name(contract)}.{exchange}"
    if kind == OPTION:
        local = "".join(str(contract.localSymbol).split())
        return f"{local}.{OPRA if contract.currency == 'USD' else exchange}"
    raise ConfigError(
        f"{kind or 'a contract without a kind'} {symbol} is none of the kinds that are traded here: shares, futures, options, pairs"
    )


def _plain_exchange(contract: Any) -> str:
    primary, exchange = str(contract.primaryExchange), str(contract.exchange)
    found = primary if primary and contract.secType == STOCK else exchange
    if found in ("", SMART):
        found = primary
    return OTHER_NAMES.get(found, found)


def _future_name(contract: Any) -> str:
    """Return a future's name in one word, as its exchange writes it: IB has some with blanks, "ZN   DEC 26"."""
    local = str(contract.localSymbol)
    month = str(contract.lastTradeDateOrContractMonth)
    if local and " " not in local:
        return local
    if len(month) < 6 or not month[:6].isdigit():
        return "".join(local.split()) or str(contract.symbol)
    return f"{contract.tradingClass or contract.symbol}{MONTHS[int(month[4:6]) - 1]}{month[3]}"


def _pair(symbol: str, instrument_id: str) -> ContractWish:
    if len(symbol) != 6 or not symbol.isalpha():
        raise ConfigError(f"instrument {instrument_id!r} is no pair of currencies such as EURUSD.{IDEALPRO}")
    return ContractWish(FOREX, symbol[:3], IDEALPRO, "", symbol[3:])


def _futures(symbol: str, venue: str, today: date) -> tuple[ContractWish, ...]:
    by_name = ContractWish(FUTURE, exchange=venue, currency=FUTURES[venue], local_symbol=symbol)
    found = _FUTURE_ID.fullmatch(symbol)
    if found is None:
        return (by_name,)
    year = _year_of(found["year"], today)
    month = f"{year}{MONTHS.index(found['month']) + 1:02}"
    return by_name, ContractWish(FUTURE, found["root"], venue, "", FUTURES[venue], expiry=month)


def _year_of(digits: str, today: date) -> int:
    """Return the year that a name's digits mean: the first from last year on that ends with them."""
    modulus: int = 10 ** len(digits)
    first = today.year - 1
    return first + (int(digits) - first) % modulus


def _option(symbol: str, instrument_id: str) -> ContractWish:
    found = _OPTION_ID.fullmatch(symbol)
    if found is None:
        raise ConfigError(f"instrument {instrument_id!r} is no option such as AAPL261218C00200000.{OPRA}")
    return ContractWish(
        OPTION, found["root"], SMART, "", "USD", f"{found['root']:<6}{symbol[len(found['root']):]}",
        f"20{found['day']}", int(found["strike"]) / 1000, found["right"],
    )  # fmt: skip
