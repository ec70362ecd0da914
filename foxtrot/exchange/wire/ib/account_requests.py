"""Which accounts a request means."""

from foxtrot.exchange.wire.ib.layout import is_unset
from foxtrot.exchange.wire.ib.order_texts import refused
from foxtrot.exchange.wire.ib.venue_side import IbAccount, IbSide

EVERY = "All"


def accounts_of(side: IbSide, request_id: int, name: str, *, several: bool) -> tuple[IbAccount, ...]:
    """Return the account of a name; of "" the only one, or all where a request may mean several.

    Raises:
        IbRefused: there is none of that name, or none is named and there are several.

    Source: TWS API documentation, reqAccountUpdates, reqAccountUpdatesMulti; Error Codes (321, 435).
    """
    name = name.strip()
    known = side.accounts
    if name in known:
        return (known[name],)
    if name and not (several and name == EVERY):
        raise refused(request_id, "account", account=name[:40])
    if not several and len(known) != 1:
        raise refused(request_id, "which_account")
    return tuple(known.values())


def request_id_of(text: str) -> int:
    """Return the id of a request, 0 where it is none.

    Source: EClient of ibapi 9.81.
    """
    digits = text.removeprefix("-")
    is_number = not is_unset(text) and digits.isascii() and digits.isdecimal() and len(digits) <= 18
    return int(text) if is_number else 0
