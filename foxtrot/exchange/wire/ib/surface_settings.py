"""What can be set about TWS's surface."""

from typing import Literal

import msgspec

from foxtrot.exchange.wire.ib.layout import OLDEST


class IbSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Switches of the surface.

    `newest_version` is the highest server version that is offered, 157 or 178. `always_open` trades at any hour; without it, markets keep
    their sessions. `limits` off counts messages and pacing but refuses nothing. `read_only` refuses every order, as the box in
    TWS does. `fees` is the price plan that IB's accounts are on. `has_quotes` off answers requests for market data as where no subscription is paid for: delayed data, if they may be.
    `depth_lines` is how many books all clients together may watch: a login with IB's usual 100 lines of market data has 3. `delay_s` is how
    old delayed data are.
    """

    newest_version: int = OLDEST
    always_open: bool = True
    limits: bool = True
    read_only: bool = False
    has_quotes: bool = True
    fees: Literal["fixed", "tiered"] = "fixed"
    refuses_old_attributes: bool = True
    """Whether eTradeOnly and firmQuoteOnly are refused (10268), as a current TWS does; ibapi 9.81 sets both by default."""
    depth_lines: int = 3
    delay_s: int = 900
