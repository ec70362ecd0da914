"""What a status file means: whether the platform still lives, how old its word is, and what needs a person."""

import enum
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from foxtrot.app.process_table import process_start
from foxtrot.app.run_lock import holder_of
from foxtrot.domain.enums import AdapterState, GateState
from foxtrot.domain.errors import FoxtrotError

Json = dict[str, object]
NAME = "status.json"
RUNNING, STOPPING, ENDED = "running", "stopping", "ended"
"""What a platform says of itself in the file."""
COMING = ("loaded", "initialising", "ready")
"""What a strategy is before it runs for the first time."""
FROZEN_S = 5.0
"""A platform writes every second: one that lives and has not for so long does nothing else either."""
LONGEST_STOP_S = 45.0
WAITS_FOR_GUARDIAN = "entries wait for the guardian"
"""So begins the reason of a gate that is held until somebody watches; for the first minute of a run that is in order."""
GUARDIAN_S = 60.0
BLOCKED_S = 60.0
"""An account that waits for its reconciliation for so long does not get on by itself."""


class Life(enum.StrEnum):
    """What is known of a platform in a home folder."""

    NONE = "none"
    """None has ever run here."""
    STARTING = "starting"
    """One holds the home folder and has not told anything yet, or not every account has been READY once."""
    RUNNING = "running"
    STOPPING = "stopping"
    FROZEN = "frozen"
    """Its process lives and has told nothing for too long."""
    ENDED = "ended"
    GONE = "gone"
    """Its process is no more, and did not end in order."""


class _Account(msgspec.Struct):
    account: str
    state: str
    cause: str
    books: dict[str, Json]
    last_cause: str = ""
    was_ready: bool = True
    unready_s: float = 0.0


class _Engine(msgspec.Struct):
    stalled_in: str
    gate: str
    gate_reason: str


class _Strategy(msgspec.Struct):
    strategy_id: str
    state: str
    reason: str
    autostart: bool = True
    """False: it waits for somebody to start it, and nobody waits for it."""


class _Part(msgspec.Struct):
    name: str
    state: str
    reason: str


class _Health(msgspec.Struct):
    parts: list[_Part] = []


class _Block(msgspec.Struct):
    account: str
    instrument_id: str
    state: str
    reason: str
    since_ns: int
    who: str = ""
    killed: bool = False


class _Told(msgspec.Struct):
    """The part of the file that is judged; the rest is shown."""

    stage: str
    pid: int
    process_start: str
    written_ns: int
    sick_book_s: float
    engine: _Engine
    accounts: list[_Account]
    strategies: list[_Strategy]
    not_ready_s: float = 60.0
    started_ns: int = 0
    blocks: list[_Block] = []
    health: _Health | None = None


class Reading(msgspec.Struct, frozen=True):
    """What was read: the life of the platform, how old the file is in seconds, what needs a person, and the file itself."""

    life: Life
    age_s: float = 0.0
    needs_person: tuple[str, ...] = ()
    status: Json = {}

    @property
    def lives(self) -> bool:
        """Tell whether the platform's process is there."""
        return self.life in (Life.RUNNING, Life.STOPPING, Life.FROZEN) or bool(
            self.life is Life.STARTING and self.status
        )


def read_status(home: Path, now_ns: int) -> Reading:
    """Read the status of the platform in a home folder at a time (UTC).

    Blocks: for the disk.

    Raises:
        FoxtrotError: there is a file, and it is no status.
    """
    path = home / NAME
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Reading(Life.STARTING if _held_by_another(home, 0) else Life.NONE)
    except OSError as error:
        raise FoxtrotError(f"{path} cannot be read: {error.strerror or error}") from None
    try:
        told, status = msgspec.json.decode(data, type=_Told), msgspec.json.decode(data, type=Json)
    except msgspec.MsgspecError as error:
        raise FoxtrotError(f"{path} is no status of a platform: {error}; delete it") from None
    age_s = max(0.0, (now_ns - told.written_ns) / 1e9)
    life = _life(told, age_s)
    if life in (Life.ENDED, Life.GONE) and _held_by_another(home, told.pid):
        return Reading(Life.STARTING)
    reading = Reading(life, age_s, (), status)
    return msgspec.structs.replace(reading, needs_person=_needs(told, reading)) if reading.lives else reading


def _held_by_another(home: Path, pid: int) -> bool:
    holder = holder_of(home)
    return holder is not None and holder.pid != pid and holder.lives


def _life(told: _Told, age_s: float) -> Life:
    if told.stage == ENDED:
        return Life.ENDED
    start = process_start(told.pid)
    longest_s = LONGEST_STOP_S if told.stage == STOPPING else FROZEN_S
    if start is None or (start and told.process_start and start != told.process_start):
        return Life.GONE
    if not start and age_s > longest_s:  # the system does not tell whether it lives, and it does not tell so itself
        return Life.GONE
    if age_s > longest_s:
        return Life.FROZEN
    if told.stage == STOPPING:
        return Life.STOPPING
    return Life.RUNNING if _has_started(told) else Life.STARTING


def _has_started(told: _Told) -> bool:
    return all(account.was_ready or account.state == AdapterState.FAILED for account in told.accounts) and all(
        strategy.state not in COMING for strategy in told.strategies if strategy.autostart
    )


def _needs(told: _Told, reading: Reading) -> tuple[str, ...]:
    """Return what the platform will not get right by itself."""
    found = []
    if reading.life is Life.FROZEN:
        found.append(f"the platform is frozen: its process {told.pid} has told nothing for {reading.age_s:.0f} s")
    if told.engine.stalled_in:
        found.append(f"the engine handles nothing: it is held up in {told.engine.stalled_in}")
    if told.engine.gate != GateState.ACTIVE and not _is_coming(told):
        found.append(f"the gate is {told.engine.gate}: {told.engine.gate_reason}")
    found += _blocked(told)
    for account in told.accounts:
        if account.state == AdapterState.FAILED:
            found.append(f"account {account.account} failed: {account.cause or 'no cause given'}")
        elif account.unready_s > told.not_ready_s and told.stage == RUNNING:
            found.append(_unready(account, told))
        for name, book in account.books.items():
            sick_s = float(str(book.get("sick_s", 0.0)))
            if sick_s > told.sick_book_s:
                found.append(f"the book of {name} on {account.account} has been {book.get('state')} for {sick_s:.0f} s")
    parts = told.health.parts if told.health is not None else []
    found += [f"{part.name} is dead: {part.reason}" for part in parts if part.state == "dead"]
    found += [f"strategy {one.strategy_id} failed: {one.reason}" for one in told.strategies if one.state == "failed"]
    return tuple(found)


def _blocked(told: _Told) -> Iterator[str]:
    """Yield the blocks that no reconciliation lifts soon: a kill, an instrument that is halted, an account that is so for too long."""
    for block in told.blocks:
        since = f"since {_time(block.since_ns)}" + f" by {block.who}" * bool(block.who)
        old = told.written_ns - block.since_ns > BLOCKED_S * 1e9
        if block.killed:
            yield f"killed {since}: {block.reason}; `foxtrot resume --why TEXT` lets it trade again"
        elif block.instrument_id and block.state == GateState.HALTED:
            account = block.account or "every account"
            yield f"{block.instrument_id} on {account} is halted {since}: {block.reason}"
        elif block.account and block.state == GateState.HALTED and old and told.stage == RUNNING:
            yield f"account {block.account} lets through nothing {since}: {block.reason}"


def _time(time_ns: float) -> str:
    return datetime.fromtimestamp(time_ns / 1e9, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _is_coming(told: _Told) -> bool:
    """Tell whether the gate is held for a guardian that is starting still."""
    young = told.written_ns - told.started_ns < GUARDIAN_S * 1e9
    return young and told.engine.gate == GateState.REDUCING and told.engine.gate_reason.startswith(WAITS_FOR_GUARDIAN)


def _unready(account: _Account, told: _Told) -> str:
    since = _time(told.written_ns - account.unready_s * 1e9)
    cause = account.cause or account.last_cause or "no cause given"
    return f"account {account.account} has not been READY since {since} ({account.unready_s:.0f} s): {account.state}, last cause: {cause}"
