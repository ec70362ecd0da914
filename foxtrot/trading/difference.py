"""What differs between an account as we hold it and as its venue tells it, beyond what fills and charges explain."""

import hashlib
from collections.abc import Iterator
from decimal import Decimal

import msgspec

from foxtrot.core.notices import PositionsLoaded
from foxtrot.domain.account import EXTERNAL, AccountData
from foxtrot.domain.enums import PositionSide, Product
from foxtrot.domain.instrument import Instrument
from foxtrot.trading.audit import balance_slack, told_quantity, without_shares
from foxtrot.trading.order_desk import OrderDesk
from foxtrot.trading.portfolio import Portfolio
from foxtrot.trading.position import EXACT, ZERO

POSITION, BALANCE, FILL, HOLDING = "position", "balance", "fill", "holding"
"""A position of an account; the balance of an asset; the fills of an order; an asset of which strategies own more than there is."""


class Finding(msgspec.Struct, frozen=True):
    """One thing on which an account and its venue disagree; `delta` is what the venue has more than we.

    `places` are the instruments that must not be traded until it is settled, none where nothing of a strategy is touched.
    """

    kind: str
    account: str
    subject: str
    ours: Decimal
    venue: Decimal
    places: tuple[str, ...] = ()
    side: PositionSide = PositionSide.NET

    @property
    def delta(self) -> Decimal:
        """Return what the venue has more than we."""
        return EXACT.subtract(self.venue, self.ours)

    @property
    def key(self) -> tuple[str, str, PositionSide, Decimal]:
        """Return what stays the same while the same thing differs by the same, though both sides trade on."""
        return (self.kind, self.subject, self.side, self.delta)

    @property
    def difference_id(self) -> str:
        """Return a name that every run gives to the same difference."""
        kind, subject, side, delta = self.key
        return digest(kind, self.account, subject, str(side), plain(delta))


def plain(amount: Decimal) -> str:
    """Return an amount as text that is the same for the same amount."""
    return f"{amount.normalize(EXACT):f}"


def digest(*parts: str) -> str:
    """Return twelve characters that stand for some texts."""
    return hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:12]


class Comparison:
    """Compares accounts with what their venues say.

    Thread: the dispatcher's.
    """

    def __init__(self, desk: OrderDesk, portfolio: Portfolio) -> None:
        self._desk = desk
        self._portfolio = portfolio

    def positions(self, account: str, told: PositionsLoaded) -> Iterator[Finding]:
        """Yield the positions that differ; what is owned on a spot market, and of a forex pair, is a balance."""
        instruments = self._portfolio.instruments
        venue = {(row.instrument_id, row.position_side): told_quantity(row, instruments) for row in told.positions}
        ours = {
            (instrument_id, side): position.instrument.quantity_grid.to_decimal(position.quantity)
            for (name, instrument_id, side), position in self._portfolio.net_positions()
            if name == account and not position.instrument.product.is_balance
        }
        for place in sorted(ours.keys() | venue.keys()):
            mine, theirs = ours.get(place, ZERO), venue.get(place, ZERO)
            if mine != theirs:
                yield Finding(POSITION, account, place[0], mine, theirs, (place[0],), place[1])

    def balances(self, account: str, told: AccountData) -> Iterator[Finding]:
        """Yield the balances that differ by more than venues round, and of what strategies own more than the account holds.

        A balance of which they do is not told as a balance too: it is not to be explained away.
        """
        totals = {row.asset: row.total for row in told.balances}
        short = {finding.subject: finding for finding in self._holdings(account, totals)}
        yield from short.values()
        ours = without_shares(self._portfolio.balances(account), self._portfolio.instruments)
        venue = without_shares(totals, self._portfolio.instruments)
        slack = balance_slack(self._portfolio, account)
        for asset in sorted((ours.keys() | venue.keys()) - short.keys()):
            mine, theirs = ours.get(asset, ZERO), venue.get(asset, ZERO)
            if abs(mine - theirs) > slack.get(asset, ZERO) + told.step:
                yield Finding(BALANCE, account, asset, mine, theirs)

    def fills(self, account: str) -> Iterator[Finding]:
        """Yield the orders of which the venue counts more as filled than fills have come."""
        for record in self._desk.pending_records(account=account):
            if record.missing_units:
                grid, terms = record.instrument.quantity_grid, record.terms
                ours, venue = grid.to_decimal(record.filled), grid.to_decimal(record.reported)
                yield Finding(FILL, account, terms.order_id, ours, venue, (terms.instrument_id,))

    def _holdings(self, account: str, totals: dict[str, Decimal]) -> Iterator[Finding]:
        """Yield the assets of which strategies own more than there is, beyond the step in which they are counted."""
        owned: dict[str, Decimal] = {}
        places: dict[str, dict[str, Instrument]] = {}
        for (owner, name, instrument_id, _), position in self._portfolio.positions():
            instrument = position.instrument
            if owner != EXTERNAL and name == account and instrument.product is Product.SPOT:
                asset = instrument.base_asset
                owned[asset] = EXACT.add(owned.get(asset, ZERO), position.exact_quantity)
                places.setdefault(asset, {})[instrument_id] = instrument
        for asset, quantity in sorted(owned.items()):
            dust = max(one.quantity_grid.step for one in places[asset].values())
            total = totals.get(asset, ZERO)
            if quantity - total > dust:
                yield Finding(HOLDING, account, asset, quantity, total, tuple(sorted(places[asset])))
