"""What a desktop asks about risk, and what it is answered: frozen structs, all of which can be encoded."""

from decimal import Decimal

import msgspec

from foxtrot.app.control_requests import Request


class RiskOverview(Request, frozen=True, tag="risk"):
    """Every limit by scope, with what stands against it now."""


class LimitUse(msgspec.Struct, frozen=True):
    """One limit of a scope: `used` is None where it is asked of single orders only, or where a price or rate is missing.

    `instrument_id` says where the worst position is; `locked` why nothing of the scope may open, "" while it may.
    """

    scope: str
    owner: str
    account: str
    rule: str
    limit: Decimal
    used: Decimal | None
    instrument_id: str = ""
    locked: str = ""


class RiskFound(msgspec.Struct, frozen=True):
    """The answer to RiskOverview; `refusals` counts by rule what was refused in this run."""

    base_currency: str
    uses: tuple[LimitUse, ...]
    refusals: dict[str, int]
