"""Replay: the run of a tape once more, and whether it makes the same orders."""

from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
from loguru import logger

from foxtrot.app.fingerprints import code_hash, strategy_file
from foxtrot.app.main_engine import MainEngine
from foxtrot.app.played_run import PlayedSurroundings
from foxtrot.app.run_recording import config_of
from foxtrot.core.lanes import MARKET_LANE
from foxtrot.core.notices import AdapterStatus, GateMovedOutside
from foxtrot.core.played_tape import Difference, PlayedEngine, TapeDiffers, TapeFeed
from foxtrot.core.tape import EntryKind
from foxtrot.domain.errors import InputError
from foxtrot.storage.journal_records import GateMoved, decode_record
from foxtrot.storage.recorder import IntentHash
from foxtrot.storage.run_tape import Record, TapeDamaged, TapeHeader, TapeReader
from foxtrot.storage.tape_events import checksum_of, decode_event
from foxtrot.storage.tape_store import kept_runs
from foxtrot.trading.gate import Gate

_MARKET_NAMES = frozenset(kind.__name__ for kind in MARKET_LANE)


class ReplayResult(msgspec.Struct, frozen=True, kw_only=True):
    """How a replay went.

    `intent_hash` is over the intents of the replay, `recorded_hash` over those on the tape. `damage` names the first record that is
    not as it was written, `warnings` what may be the cause of a difference.
    """

    run_id: str
    folder: str
    equal: bool
    events: int
    inputs: int
    intents: int
    intent_hash: str
    recorded_intents: int
    recorded_hash: str
    difference: Difference | None
    damage: str
    end: str
    incomplete_from: int
    warnings: tuple[str, ...]


def find_run(name: str, runs: Path) -> Path:
    """Return the folder of a run: by its id, by "last", or by a path.

    Raises:
        InputError: there is none.
    """
    kept = kept_runs(runs)
    if name == "last" and kept:
        return kept[-1].folder
    known = {run.folder.name: run.folder for run in kept}
    if name in known:
        return known[name]
    if name != "last" and any(Path(name).glob("*.tape")):
        return Path(name)
    newest = (
        ", ".join(run.folder.name for run in kept[-3:])
        or "none; every run is recorded there unless `[recorder] enabled = false`"
    )
    raise InputError(f"there is no recorded run {name!r} in {runs}; the newest are: {newest}")


def replay_run(folder: Path) -> ReplayResult:
    """Run the strategies of a tape again, on what it says came in, and compare every intent.

    Thread: the caller's.

    Blocks: for the run's computing, much less than it took.

    Raises:
        InputError: there is no tape, or it is of another version.
        ConfigError: a strategy can no longer be made.
    """
    reader = TapeReader(folder)
    try:
        config = config_of(reader.header.config)
    except msgspec.MsgspecError as error:
        raise InputError(
            f"{folder} was recorded by version {reader.header.version}, of another configuration: {error}"
        ) from None
    feed = TapeFeed(_intent_text)
    around = PlayedSurroundings(reader.header, config, feed)
    logger.disable("foxtrot")
    try:
        return _Replay(reader, around, lambda: MainEngine(config, Path(reader.header.folder), around=around)).run()
    finally:
        logger.enable("foxtrot")


class _Replay:
    """One tape, played to its end or to the first difference."""

    def __init__(self, reader: TapeReader, around: PlayedSurroundings, make: Callable[[], MainEngine]) -> None:
        self._reader = reader
        self._around = around
        self._make = make
        self._player: PlayedEngine = around.player
        self._recorded = IntentHash()
        self._events = self._inputs = 0
        self._damage = ""
        self._gate: Gate | None = None
        self._warnings: tuple[str, ...] = ()

    def run(self) -> ReplayResult:
        """Play it."""
        differs = False
        try:
            for record in self._reader.entries():
                self._recorded.add(record.reads)
                if not differs:
                    differs = not self._plays(record)
        except TapeDamaged as damage:
            self._damage = str(damage)
        if not differs and not self._damage:
            self._look_at_end()
        return self._result()

    def _plays(self, record: Record) -> bool:
        try:
            self._around.feed.begin(record.sequence, record.name, record.reads)
            if record.kind == EntryKind.PROLOGUE:
                self._begin()
            else:
                self._play(record)
            self._around.feed.end()
        except TapeDiffers:
            return False
        self._events += record.kind != EntryKind.PROLOGUE
        return True

    def _begin(self) -> None:
        platform = self._make()
        self._warnings = (*_changed_code(self._reader.header), *_changed_files(self._reader.header, platform))
        self._gate = platform.line.gate
        for move in self._around.feed.moves():
            self._gate_moved(GateMovedOutside(move))
        platform.prepare()

    def _play(self, record: Record) -> None:
        feed, player = self._around.feed, self._player
        if record.kind == EntryKind.OPAQUE:
            feed.begin(record.sequence, record.name, ())
            player.skip()
        elif record.kind == EntryKind.DERIVED:
            event = player.next_put(market=record.name in _MARKET_NAMES)
            if type(event).__name__ != record.name:
                feed.differ("an event that a handler put", record.name, type(event).__name__)
            if record.payload and record.payload != checksum_of(event).to_bytes(4, "big"):
                feed.differ("what an event that a handler put says", f"checksum {record.payload.hex()}", repr(event))
            player.play(event)
        else:
            self._inputs += 1
            event = self._decoded(record)
            if isinstance(event, GateMovedOutside):
                self._gate_moved(event)
            elif isinstance(event, AdapterStatus):
                self._around.follow(event)
            player.play(event)

    def _gate_moved(self, event: GateMovedOutside) -> None:
        """Let the gate know what another thread did to it."""
        move = decode_record(event.move)
        if isinstance(move, GateMoved) and self._gate is not None:
            self._gate.take_outside(move)

    def _decoded(self, record: Record) -> object:
        try:
            return decode_event(record.name, record.payload)
        except (msgspec.MsgspecError, KeyError) as error:
            self._around.feed.differ("the event cannot be read", record.name, str(error))

    def _look_at_end(self) -> None:
        """See that no more is put than was handled, where the run came to its end."""
        end = self._reader.end
        waiting = [event for lane in self._player.waiting.values() for event in lane]
        if end is None or end.incomplete_from or end.left or not waiting:
            return
        try:
            self._around.feed.differ("an event is put that was not", "the end", type(waiting[0]).__name__)
        except TapeDiffers:
            return

    def _result(self) -> ReplayResult:
        end, mine, difference = self._reader.end, self._around.intents, self._around.feed.difference
        return ReplayResult(
            run_id=self._reader.header.run_id,
            folder=str(self._reader.folder),
            equal=difference is None and not self._damage and mine.text() == self._recorded.text(),
            events=self._events,
            inputs=self._inputs,
            intents=mine.count,
            intent_hash=mine.text(),
            recorded_intents=self._recorded.count,
            recorded_hash=self._recorded.text(),
            difference=difference,
            damage=self._damage,
            end=end.reason if end else "it was cut off: the platform was killed, or still runs",
            incomplete_from=end.incomplete_from if end else 0,
            warnings=self._warnings,
        )


def _changed_code(header: TapeHeader) -> Iterator[str]:
    if header.code != code_hash():
        yield f"Foxtrot itself is not the code that ran (version {header.version}); a difference may be its doing"


def _changed_files(header: TapeHeader, platform: MainEngine) -> Iterator[str]:
    for name, host in platform.line.strategies.hosts.items():
        before, now = header.strategies.get(name), strategy_file(type(host.strategy))
        if before is not None and before.sha256 != now.sha256:
            yield f"{name}: {now.file} is not the file that ran: its SHA-256 was {before.sha256[:12]}… and is {now.sha256[:12]}…"


def _intent_text(data: bytes) -> str:
    return data.decode("utf-8", "replace")
