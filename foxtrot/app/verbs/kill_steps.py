"""The two ways of a kill: through a platform that answers, and straight to the venues."""

import sys
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path

import msgspec

from foxtrot.app.control_client import ControlClient
from foxtrot.app.control_place import last_config
from foxtrot.app.control_requests import FollowKill, Kill, KillProgress, KillTaken, PositionRow
from foxtrot.app.control_waits import Waited, wait_for
from foxtrot.app.halt_file import Halt, HaltFile
from foxtrot.app.run_lock import holder_of
from foxtrot.app.verbs.outcome import DONE, NEEDS_PERSON, Outcome, listed, one_line
from foxtrot.app.verbs.steering_outcome import say
from foxtrot.app.verbs.steering_text import order_note, orders_text, positions_text
from foxtrot.core.clock import SystemClock
from foxtrot.domain.account import PEOPLE
from foxtrot.domain.errors import ConfigError, FoxtrotError

STAYS = {True: "can only reduce a position: it stays until that is flat", False: "not ours: it is left alone"}


class KillWish(msgspec.Struct, frozen=True):
    """What a person asked for."""

    who: str
    why: str
    flatten: bool
    everything: bool
    yes: bool
    wait_s: float


class FlattenBegun(FoxtrotError):
    """The platform was told to close positions and could not be asked how far it is: it may be closing them now."""


def live_way(client: ControlClient, wish: KillWish) -> Outcome:
    """Kill through the platform: the gate first and at once; what is to be sold is told, and if need be asked, after that.

    Raises:
        FlattenBegun: it does not answer any more after it was told to close positions.
        FoxtrotError: it does not answer, before that.
    """
    taken = client.kill(Kill(wish.who, wish.why))
    say(f"the gate was closed in {taken.gate_closed_ms:.2f} ms; {taken.entries} orders are being cancelled")
    selling = sold_by(wish, taken.positions)
    sells = bool(selling) and _is_wanted(wish, selling)
    declined = bool(selling) and not sells

    def is_done(found: KillProgress) -> bool:
        unsold = not declined and bool(sold_by(wish, found.positions))
        return not (found.still_open or unsold or (sells and found.closing))

    try:
        if sells:
            client.kill(Kill(wish.who, wish.why, flatten=True, everything=wish.everything))
        waited = wait_for(
            lambda: client.ask(FollowKill(taken.kill_id), KillProgress),
            is_done,
            wish.wait_s,
        )
    except (FoxtrotError, OSError) as error:
        if sells:
            raise FlattenBegun(one_line(error)) from None
        raise
    return _told(wish, taken, waited, selling, sells=sells)


def cold_way(home: Path, config: Path | None, wish: KillWish, cause: str) -> Outcome:
    """Kill at the venues, without the platform.

    Raises:
        ConfigError: no configuration is known, or the one that there is cannot be used.
    """
    fading = _halted(home, wish)  # before anything else, and before anything else can go wrong
    path = config or last_config(home)
    if path is None:
        halted = "NOT halted" if fading else "halted"
        raise ConfigError(
            f"{cause}; whatever runs or starts in {home} is {halted}, and no configuration is known by which to cancel at the venues: name it: "
            "foxtrot kill CONFIG.toml"
        )
    from foxtrot.app.cold_kill import cold_kill

    say(f"going straight to the venues, by {path}")
    found = cold_kill(path, home, wish.flatten and not wish.everything, False, wish.who)
    declined = wish.everything and not _confirmed(
        wish, "everything that the accounts of the configuration hold will be sold"
    )
    if wish.everything and not declined:
        found = cold_kill(path, home, True, True, wish.who)
    result: dict[str, object] = {"way": "venues", "cause": cause, "config": str(path), **found, "declined": declined}
    needs = declined or bool(found.get("needs_person"))
    return _lasting(Outcome(result, _cold_text(result), NEEDS_PERSON if needs else DONE), fading)


def beside_flatten(home: Path, config: Path | None, wish: KillWish, cause: str) -> Outcome:
    """Go on after a platform that closes positions was lost from sight: one that lives is not helped to sell a second time.

    Its entries are cancelled at the venues all the same; what it had not sold before it died is closed there.

    Raises:
        ConfigError: as `cold_way`.
    """
    if not _lives(home):
        return cold_way(home, config, wish, f"{cause}; the platform has ended since")
    told = (
        f"{cause}; the platform was told to close positions and its process lives, so that nothing is sold beside it: see `foxtrot "
        "positions`; should it stay silent, end its process and say `foxtrot kill --flatten` again"
    )
    say(f"foxtrot: {told}")
    found = cold_way(home, config, msgspec.structs.replace(wish, flatten=False, everything=False), told)
    result = {**found.result, "needs_person": True}
    return _lasting(Outcome(result, listed(result), NEEDS_PERSON), str(found.result["fading"]))


def _cold_text(result: dict[str, object]) -> str:
    """Return what was found in words: each thing in a line, and each piece of dust."""
    flattened = result.get("flatten")
    dust = flattened.get("dust", []) if isinstance(flattened, Mapping) else []
    return "\n".join([listed(result), *(dust_text(**row) for row in dust)])


def _halted(home: Path, wish: KillWish) -> str:
    """Leave the halt file; returns why the kill will not outlive a restart, "" when it does."""
    try:
        HaltFile(home).write(Halt(wish.why, wish.who, SystemClock().now_ns()))
    except ConfigError as error:
        say(f"foxtrot: what runs or starts in {home} cannot be halted: {error}")
        return f"it will NOT outlive a restart: {error}"
    return ""


def _lasting(outcome: Outcome, fading: str) -> Outcome:
    """Return an outcome that says whether the kill outlives a restart: first of all, where it may not, for a person must see to that."""
    result = {**outcome.result, "lasting": not fading, "fading": fading}
    if not fading:
        return Outcome(result, outcome.text, outcome.status)
    return Outcome({**result, "needs_person": True}, f"killed, but {fading}\n{outcome.text}", NEEDS_PERSON)


def sold_by(wish: KillWish, positions: Sequence[PositionRow]) -> tuple[PositionRow, ...]:
    """Return the positions that a flattening kill closes: those of strategies, or with `everything` all, except dust."""
    return tuple(row for row in _meant_by(wish, positions) if not row.dust)


def _meant_by(wish: KillWish, positions: Sequence[PositionRow]) -> tuple[PositionRow, ...]:
    if not wish.flatten:
        return ()
    return tuple(row for row in positions if wish.everything or row.owner not in PEOPLE)


def dust_text(owner: str, account: str, instrument_id: str, quantity: float | str, why: str) -> str:
    """Return in words what dust is left and why no order can close it."""
    amount = f"{Decimal(repr(quantity) if isinstance(quantity, float) else quantity).normalize():f}"
    return f"dust is left: {amount} {instrument_id} of {owner} on {account}: no order can close it, for {why}"


def _lives(home: Path) -> bool:
    """Tell whether a platform lives in a home; where nobody can tell it counts as living."""
    try:
        holder = holder_of(home)
    except FoxtrotError:
        return True
    return holder is not None and holder.lives


def _is_wanted(wish: KillWish, selling: Sequence[PositionRow]) -> bool:
    say(f"to be closed at the market:\n{positions_text(selling)}")
    return not wish.everything or _confirmed(wish, "all of it will be closed, what no strategy owns too")


def _confirmed(wish: KillWish, what: str) -> bool:
    """Ask a person at a terminal; elsewhere only --yes is a yes."""
    if wish.yes:
        return True
    if not sys.stdin.isatty():
        say(f"{what}: nobody can be asked here, so it is not done; give --yes")
        return False
    say(f"{what}. Type yes to go on:")
    return sys.stdin.readline().strip().lower() == "yes"


def _told(
    wish: KillWish, taken: KillTaken, waited: Waited[KillProgress], selling: Sequence[PositionRow], *, sells: bool
) -> Outcome:
    end, rows = waited.found, msgspec.structs.asdict
    result: dict[str, object] = {
        "way": "platform",
        "gate_closed_ms": taken.gate_closed_ms,
        "entries_found": end.entries,
        "cancels_sent": end.cancels_asked,
        "cancelled": end.cancelled,
        "filled": end.filled,
        "ended_otherwise": end.ended_otherwise,
        "still_open": end.still_open,
        "open": [rows(row) for row in end.open],
        "reducing": end.reducing,
        "foreign": end.foreign,
        "staying": [{**rows(row), "why": STAYS[row.reduces]} for row in end.staying],
        "flatten": sells,
        "declined": wish.flatten and bool(selling) and not sells,
        "sold": [rows(row) for row in selling] if sells else [],
        "positions": [rows(row) for row in end.positions],
        "dust": [rows(row) for row in _meant_by(wish, end.positions) if row.dust],
        "needs_person": not waited.done or (wish.flatten and bool(selling) and not sells),
    }
    return _lasting(
        Outcome(result, _text(wish, result, end), NEEDS_PERSON if result["needs_person"] else DONE), taken.fading
    )


def _text(wish: KillWish, result: dict[str, object], end: KillProgress) -> str:
    lines = [
        f"killed: {end.entries} entry orders found, {end.cancels_asked} cancels asked, {end.cancelled} cancelled, {end.filled} filled "
        f"before that, {end.ended_otherwise} ended otherwise, {end.still_open} still open"
    ]
    lines += [f"still open: {row.order_id} is {row.status} {order_note(row)}".rstrip() for row in end.open]
    if end.staying:
        lines += [
            f"{end.reducing} that can only reduce a position and {end.foreign} that are not ours stay:",
            orders_text(end.staying),
        ]
    lines += ["positions left:", positions_text(end.positions)] if end.positions else ["no position is left"]
    lines += [
        dust_text(row.owner, row.account, row.instrument_id, row.quantity, row.dust)
        for row in _meant_by(wish, end.positions)
        if row.dust
    ]
    if result["declined"]:
        lines.append("nothing was sold: that was not confirmed")
    return "\n".join(lines)
