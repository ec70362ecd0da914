"""Parameters of a signed spot call, read and refused as Binance does."""

import re
from collections.abc import Mapping
from decimal import Decimal

from foxtrot.exchange.wire.binance.api_error import ApiError

Parameters = Mapping[str, str]

_NUMBER = r"^([0-9]{1,20})(\.[0-9]{1,20})?$"
_INTEGER = r"^[0-9]{1,20}$"
_CLIENT_ID = r"^[\.A-Z\:/a-z0-9_-]{1,36}$"
_PLACES = 8
_MOST_LONG = 2**63 - 1
_DAY_MS = 24 * 3600 * 1000


def missing(name: str) -> ApiError:
    """Return the refusal of a call without a parameter.

    Source: Binance spot API, errors: -1102.
    """
    return ApiError(-1102, f"Mandatory parameter '{name}' was not sent, was empty/null, or malformed.")


def neither(first: str, second: str) -> ApiError:
    """Return the refusal of a call with neither of two parameters.

    Source: Binance spot API, errors: -1102.
    """
    return ApiError(-1102, f"Param '{first}' or '{second}' must be sent, but both were empty/null!")


def not_required(name: str) -> ApiError:
    """Return the refusal of a parameter that does not belong to the call.

    Source: Binance spot API, errors: -1106.
    """
    return ApiError(-1106, f"Parameter '{name}' sent when not required.")


def decimal_of(params: Parameters, name: str) -> Decimal | None:
    """Return an amount, None when it was not sent.

    Source: Binance spot API, errors: -1100, -1111.

    Raises:
        ApiError: it is no plain number, or has more than eight decimals.
    """
    text = params.get(name, "")
    if not text:
        return None
    if re.fullmatch(_NUMBER[1:-1], text) is None:
        raise _illegal(name, _NUMBER)
    if len(text.partition(".")[2].rstrip("0")) > _PLACES:
        raise ApiError(-1111, f"Parameter '{name}' has too much precision.")
    return Decimal(text)


def integer_of(params: Parameters, name: str) -> int | None:
    """Return a whole number, None when it was not sent.

    Source: Binance spot API, errors: -1100, -1108.

    Raises:
        ApiError: it is no whole number, or does not fit in 64 bits.
    """
    text = params.get(name, "")
    if not text:
        return None
    if re.fullmatch(_INTEGER[1:-1], text) is None:
        raise _illegal(name, _INTEGER)
    number = int(text)
    if number > _MOST_LONG:
        raise ApiError(-1108, f"Parameter '{name}' overflowed.")
    return number


def client_id_of(params: Parameters, name: str) -> str:
    """Return a customer's id, "" when it was not sent.

    Source: Binance spot API, REST, New order: newClientOrderId.

    Raises:
        ApiError: -1100, it has other characters or is too long.
    """
    text = params.get(name, "")
    if text and re.fullmatch(_CLIENT_ID[1:-1], text) is None:
        raise _illegal(name, _CLIENT_ID)
    return text


def choice_of(params: Parameters, name: str, allowed: tuple[str, ...], default: str) -> str:
    """Return one of a closed set of words.

    Source: Binance spot API, errors: -1130.

    Raises:
        ApiError: it is another word.
    """
    text = params.get(name, "") or default
    if text not in allowed:
        raise ApiError(-1130, f"Data sent for parameter '{name}' is not valid.")
    return text


def flag_of(params: Parameters, name: str) -> bool:
    """Return a boolean, False when it was not sent.

    Source: Binance spot API, REST, Account information: omitZeroBalances.
    """
    return choice_of(params, name, ("true", "false", "TRUE", "FALSE"), "false").lower() == "true"


def limit_of(params: Parameters, default: int = 500, most: int = 1000) -> int:
    """Return how many rows are wanted; more than the most counts as the most.

    Source: Binance spot API, REST, Account trade list: limit, default 500, max 1000.
    """
    wanted = integer_of(params, "limit")
    if wanted == 0:
        raise ApiError(-1130, "Data sent for parameter 'limit' is not valid.")
    return default if wanted is None else min(wanted, most)


def window_of(params: Parameters) -> tuple[int | None, int | None]:
    """Return startTime and endTime in milliseconds, None where not sent.

    Source: Binance spot API, REST, All orders: at most 24 hours between startTime and endTime; errors: -1127.

    Raises:
        ApiError: the window is longer than a day.
    """
    start, end = integer_of(params, "startTime"), integer_of(params, "endTime")
    if start is not None and end is not None and end - start > _DAY_MS:
        raise ApiError(-1127, "More than 24 hours between startTime and endTime.")
    return start, end


def _illegal(name: str, legal: str) -> ApiError:
    return ApiError(-1100, f"Illegal characters found in parameter '{name}'; legal range is '{legal}'.")
