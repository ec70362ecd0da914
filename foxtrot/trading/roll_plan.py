"""What a roll would do, or why it cannot: whose position it is, and whether the two contracts belong together."""

from collections.abc import Iterable, Iterator
from decimal import Decimal

from foxtrot.core.clock import Clock
from foxtrot.core.commands import RollPosition
from foxtrot.domain.enums import Product
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.instrument import Instrument
from foxtrot.trading.limits import LimitTable
from foxtrot.trading.order_desk import OrderDesk
from foxtrot.trading.portfolio import Portfolio, PositionKey
from foxtrot.trading.position import Position
from foxtrot.trading.roll_rules import is_near, why_ends
from foxtrot.trading.roll_state import Roll


class RollPlanner:
    """Makes a roll of a wish.

    Thread: the dispatcher's.
    """

    def __init__(self, clock: Clock, portfolio: Portfolio, desk: OrderDesk, limits: LimitTable) -> None:
        self._clock = clock
        self._portfolio = portfolio
        self._desk = desk
        self._limits = limits

    def plan(self, wish: RollPosition) -> Roll:
        """Return the roll that a wish comes to.

        Raises:
            ConfigError: a name fits nothing or several, the contracts do not belong together, the quantity is more than is held, or
                orders of the owner stand in the way.
        """
        old, new = self._resolve(wish.old), self._resolve(wish.new)
        check_contracts(old, new)
        (owner, account, _, side), position = self._holder(old, wish)
        self._check_ends(old, new, account, owner)
        units = self._units(old, position, wish.quantity)
        waiting = [record.terms.order_id for record in self._desk.pending_records(owner, account, old.instrument_id)]
        if waiting:
            raise ConfigError(
                f"{owner} has orders in {old.instrument_id} that may still trade: {', '.join(waiting[:5])}; cancel them, "
                "or stop the strategy that protects the position, then roll"
            )
        return Roll(
            roll_id=wish.roll_id, owner=owner, account=account, position_side=side, old=old.instrument_id, new=new.instrument_id,
            sign=1 if position.quantity > 0 else -1, units=units, begun_ns=self._clock.now_ns(), who=wish.who, why=wish.why,
        )  # fmt: skip

    def _resolve(self, name: str) -> Instrument:
        table = self._portfolio.instruments
        found = {one.instrument_id: one for one in table.all() if name in (one.instrument_id, one.symbol)}
        if len(found) == 1:
            return next(iter(found.values()))
        if found:
            raise ConfigError(f"{name} fits several instruments: {', '.join(sorted(found))}; name one of them")
        raise ConfigError(
            f"instrument {name} is not known; its account must list it, see `instruments` in its settings"
        )

    def _holder(self, old: Instrument, wish: RollPosition) -> tuple[PositionKey, Position]:
        held = list(_held(self._portfolio.positions(), old.instrument_id))
        fits = [one for one in held if wish.owner in ("", one[0][0]) and wish.account in ("", one[0][1])]
        if len(fits) == 1:
            return fits[0]
        among = fits or held
        names = "; ".join(f"{key[0]} on {key[1]} {_text(position)}" for key, position in among)
        if fits:
            raise ConfigError(f"several hold {old.instrument_id}: {names}; name one with --strategy and --account")
        raise ConfigError(f"nothing of {old.instrument_id} is held there; holders: {names or 'none'}")

    def _check_ends(self, old: Instrument, new: Instrument, account: str, owner: str) -> None:
        now_ns = self._clock.now_ns()
        if 0 < old.expiry_ns <= now_ns:
            raise ConfigError(f"{old.instrument_id} has expired ({why_ends(old)}): nothing is left to roll")
        days = max(scope.limits.roll_days for scope in self._limits.scopes(account, owner))
        if is_near(new, now_ns, days) or 0 < new.expiry_ns <= now_ns:
            raise ConfigError(
                f"{new.instrument_id} is about to end itself ({why_ends(new)}): roll into a later contract"
            )

    def _units(self, old: Instrument, position: Position, quantity: Decimal) -> int:
        whole = old.round_quantity_units(abs(position.exact_quantity))
        if not whole:
            raise ConfigError(f"{_text(position)} {old.instrument_id} is less than an order can close")
        if not quantity:
            return whole
        units = old.quantity_units(quantity)
        if not 0 < units <= whole:
            held = old.quantity_grid.to_text(whole)
            raise ConfigError(
                f"a roll of {quantity} {old.instrument_id} needs a quantity above 0 and at most the {held} held"
            )
        return units


def check_contracts(old: Instrument, new: Instrument) -> None:
    """Refuse two contracts of which one does not carry on the other.

    Raises:
        ConfigError: they are no futures, or differ in what a position in them means; both values are named.
    """
    if old.instrument_id == new.instrument_id:
        raise ConfigError(f"{old.instrument_id} cannot be rolled into itself; name the later contract second")
    for one in (old, new):
        if one.product is not Product.FUTURE:
            raise ConfigError(f"{one.instrument_id} is a {one.product}: only futures are rolled")
    for what, mine, other in (
        ("underlying", old.underlying or old.base_asset, new.underlying or new.base_asset),
        ("multiplier", f"{old.multiplier:f}", f"{new.multiplier:f}"),
        ("currency", old.quote_asset, new.quote_asset),
        ("settlement", old.settle_asset, new.settle_asset),
        ("quantity step", _step(old), _step(new)),
    ):
        if mine != other:
            raise ConfigError(
                f"{old.instrument_id} and {new.instrument_id} are not of one {what}: {mine} and {other}; close and open by hand"
            )


def _step(instrument: Instrument) -> str:
    return f"{instrument.quantity_grid.step.normalize():f} times {instrument.lot_units}"


def _held(
    positions: Iterable[tuple[PositionKey, Position]], instrument_id: str
) -> Iterator[tuple[PositionKey, Position]]:
    return ((key, position) for key, position in positions if key[2] == instrument_id and position.exact_quantity)


def _text(position: Position) -> str:
    return f"{position.exact_quantity:+f}"
