"""What can be set about TWS's surface."""

import msgspec

from foxtrot.exchange.wire.ib.layout import OLDEST


class IbSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Switches of the surface.

    `newest_version` is the highest server version that is offered, 157 or 178. `always_open` trades at any hour; without it, markets keep
    their sessions. `limits` off counts messages and pacing but refuses nothing. `read_only` refuses every order, as the box in
    TWS does. `has_quotes` off answers requests for market data as where no subscription is paid for: delayed data, if they may be.
    `depth_lines` is how many books all clients together may watch: a login with IB's usual 100 lines of market data has 3. `delay_s` is how
    old delayed data are.
    """

    newest_version: int = OLDEST
    always_open: bool = True
    limits: bool = True
    read_only: bool = False
    has_quotes: bool = True
    depth_lines: int = 3
    delay_s: int = 900
