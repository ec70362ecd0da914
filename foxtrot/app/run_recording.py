"""The recording of a run: its surroundings, taped, and the header that says what it began with."""

import contextlib
import platform as machine
from pathlib import Path
from threading import get_ident

import msgspec
from loguru import logger
from typing_extensions import override

from foxtrot import __version__
from foxtrot.app.config import Config
from foxtrot.app.fingerprints import code_hash, strategy_file
from foxtrot.app.surroundings import MakeJournal, Surroundings
from foxtrot.core.clock import Clock
from foxtrot.core.dispatcher import Dispatcher
from foxtrot.core.notices import GateMovedOutside
from foxtrot.core.tape import INTENT, LOOK, Entry, Tape
from foxtrot.core.taped_permit import TapedPermit
from foxtrot.domain.errors import QueueClosed
from foxtrot.storage.journal import InMemoryJournal, Journal
from foxtrot.storage.journal_records import AmendAsked, GateMoved, Intent, JournalRecord, encode_record
from foxtrot.storage.recorder import Recorder
from foxtrot.storage.run_tape import AdapterFacts, TapeHeader
from foxtrot.storage.tape_events import is_known
from foxtrot.storage.tape_store import TapeLimits
from foxtrot.strategy.line import Line
from foxtrot.strategy.variables import VariableStore
from foxtrot.trading.restored_state import RestoredState

RUNS = "runs"
MEMORY, DISK = "memory", "disk"


class RunRecording(Surroundings):
    """Those of a run whose every input is recorded to `<data folder>/runs/<run id>`.

    Thread: main.
    """

    def __init__(self, config: Config, home: Path, clock: Clock | None = None) -> None:
        super().__init__(clock)
        table = config.recorder
        self.folder = config.data_dir(home) / RUNS / self.run_id
        self.limits = TapeLimits(table.keep_days, table.keep_gb, table.min_free_gb)
        self.recorder: Recorder | None = None
        self.tape = Tape(self._offer, is_known)
        self.gate_permit = TapedPermit(self.permit, self.tape)
        self.events.record(self.tape)
        self._journal: TapedJournal | None = None
        self._variables: VariableStore | None = None
        self._restored = msgspec.Raw(b"null")

    @override
    def variables(self, home: Path) -> VariableStore:
        """Return where the saved variables of strategies live, and remember it for the header."""
        self._variables = super().variables(home)
        return self._variables

    @override
    def journal(self, make_journal: MakeJournal) -> MakeJournal:
        """Return what makes a journal whose intents are noted."""

        def make(dispatcher: Dispatcher) -> Journal:
            self._journal = TapedJournal(make_journal(dispatcher), self.tape)
            return self._journal

        return make

    @override
    def restored(self, state: RestoredState | None) -> RestoredState | None:
        """Keep in the header what the run takes over."""
        self._restored = msgspec.Raw(msgspec.json.encode(state))
        return state

    @override
    def built(self, line: Line) -> None:
        """Listen no more until the start: what closes the gate meanwhile, say for a halt file, is no part of what is played again."""
        line.gate.on_moved = self._note_move
        self.tape.pause()

    @override
    def starting(self) -> None:
        """Go on with the prologue."""
        self.tape.go_on()

    @override
    def begin(self, config: Config, home: Path, line: Line) -> None:
        """Begin to record."""
        header = TapeHeader(
            run_id=self.run_id,
            version=__version__,
            code=code_hash(),
            python=machine.python_version(),
            started_ns=self.clock.now_ns(),
            folder=str(home.absolute()),
            config=config_json(config),
            strategies={name: strategy_file(type(host.strategy)) for name, host in line.strategies.hosts.items()},
            variables=self._saved(line),
            adapters={name: _facts(line, name) for name in line.adapters},
            journal=MEMORY if self._journal is None or self._journal.is_memory else DISK,
            keeps_reports=self._journal is not None and self._journal.keeps_reports,
            restored=self._restored,
        )
        for adapter in line.adapters.values():
            adapter.on_look = self._note_look
        self.recorder = Recorder(self.folder.parent, header, self.limits, logger.warning)
        self.recorder.start()
        self.tape.begin()

    @override
    def end(self, left: int) -> str:
        """Write what is left of the tape, and its end."""
        if self.recorder is None:
            return ""
        self.tape.end()
        return self.recorder.close(left)

    @override
    def told(self) -> dict[str, object]:
        """Return where the tape is, and what it ended with."""
        if self.recorder is None:
            return {}
        mark = self.recorder.end_mark()
        return {
            "tape": str(self.folder),
            "intents": mark.intents,
            "intent_hash": mark.intent_hash,
            "events": mark.stored,
            "incomplete_from": mark.incomplete_from,
        }

    def _note_look(self, seen: str | int) -> str | int:
        self.tape.note(LOOK, seen)
        return seen

    def _note_move(self, move: GateMoved) -> None:
        """Put a move of another thread on the tape: the engine's own follow from what is there."""
        if get_ident() == self.tape.owner:
            return
        said = encode_record(move)
        if not self.tape.note_move(said):
            with contextlib.suppress(QueueClosed):  # nobody is left to hear of it
                self.events.put(GateMovedOutside(said))

    def _offer(self, entry: Entry) -> None:
        if self.recorder is not None:
            self.recorder.offer(entry)

    def _saved(self, line: Line) -> msgspec.Raw:
        files = self._variables
        return msgspec.Raw(
            msgspec.json.encode({name: files.load(name) if files else {} for name in line.strategies.hosts})
        )


def runs_folder(home: Path, data: str | None = None) -> Path:
    """Return the folder of all runs."""
    return (Path(data) if data else home / "data") / RUNS


def surroundings_of(config: Config, home: Path) -> Surroundings:
    """Return those of a run, recorded unless the configuration says otherwise."""
    return RunRecording(config, home) if config.recorder.enabled else Surroundings()


class TapedJournal:
    """A journal whose order intents are noted on the tape.

    Thread: as the journal behind it.
    """

    def __init__(self, journal: Journal, tape: Tape) -> None:
        self.is_memory = isinstance(journal, InMemoryJournal)
        self._journal = journal
        self._tape = tape

    @property
    def behind(self) -> Journal:
        """Return the journal behind it."""
        return self._journal

    @property
    def keeps_reports(self) -> bool:
        """Tell whether records other than intents are kept."""
        return self._journal.keeps_reports

    def append(self, record: JournalRecord) -> None:
        """Hand a record on."""
        if type(record) is Intent or type(record) is AmendAsked:
            self._tape.note(INTENT, intent_bytes(record))
        self._journal.append(record)

    def close(self) -> None:
        """Close the journal."""
        self._journal.close()


def intent_bytes(intent: Intent | AmendAsked) -> bytes:
    """Return what is compared of an intent: the approved order or change of one, every field of it."""
    return msgspec.json.encode(intent.order if isinstance(intent, Intent) else intent.amend)


def config_json(config: Config) -> msgspec.Raw:
    """Return a configuration as JSON; it names secrets and holds none."""
    plain = msgspec.structs.replace(config, hub=None, source=config.source.absolute())
    return msgspec.Raw(msgspec.json.encode(plain, enc_hook=str))


def config_of(text: msgspec.Raw) -> Config:
    """Return the configuration of a header.

    Raises:
        msgspec.MsgspecError: it is of another version.
    """
    return msgspec.json.decode(text, type=Config, dec_hook=_path)


def _facts(line: Line, account: str) -> AdapterFacts:
    adapter = line.adapters[account]
    return AdapterFacts(adapter.adapter_name, adapter.trades, msgspec.Raw(msgspec.json.encode(adapter.capabilities)))


def _path(kind: type, value: object) -> Path:
    if kind is not Path:
        raise TypeError(f"no {kind.__name__} can be read from a tape")
    return Path(str(value))
