"""One account beside its fills: opening balances, charges, and what the venue last said."""

from decimal import Decimal

from foxtrot.core.notices import PositionsLoaded
from foxtrot.domain.account import AccountCharge, AccountData
from foxtrot.trading.position import add_amount


class AccountBook:
    """What an account had at first, what moved without a trade, and the venue's own figures.

    `opening` are the balances at the first connection: they and the positions found then belong to EXTERNAL. `unshared` are
    the charges that no position caused, such as deposits; they are EXTERNAL's too.

    Thread: the dispatcher's.
    """

    def __init__(self) -> None:
        self.opening: dict[str, Decimal] | None = None
        self.opening_time_ns = 0
        self.positions_found = False
        self.charges: dict[str, Decimal] = {}
        self.unshared: dict[str, Decimal] = {}
        self.reported: AccountData | None = None
        self.reported_positions: PositionsLoaded | None = None
        self.charge_ids: set[tuple[str, str]] = set()

    def charge(self, charge: AccountCharge) -> bool:
        """Count a charge; False when it was counted before."""
        key = (charge.kind, charge.charge_id)
        if key in self.charge_ids:
            return False
        self.charge_ids.add(key)
        add_amount(self.charges, charge.asset, charge.amount)
        return True

    def charges_of(self, kind: str) -> int:
        """Return how many charges of a kind were counted."""
        return sum(one == kind for one, _ in self.charge_ids)
