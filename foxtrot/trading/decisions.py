"""What was decided and stands until it is decided otherwise: gate, strategies that may not trade, losses so far, protections, rolls, differences, fills."""

from collections.abc import Collection

import msgspec

from foxtrot.domain.enums import GateState
from foxtrot.storage.journal_records import (
    Adjusted,
    DifferenceSettled,
    FillsWhole,
    GateMoved,
    JournalRecord,
    LossesMarked,
    ProtectionKept,
    RollKept,
    StrategyHalted,
    StrategyRearmed,
)

GateKey = tuple[str, str, str]
"""(account, instrument id, who)"""


class Decisions(msgspec.Struct):
    """The latest of each decision; a copy of it is in every snapshot.

    `gate` holds the moves that stand, oldest first. `adjustments` are the ids of what was adjusted, so that nothing is adjusted twice.
    `fills_whole` are, by account, the times of the venue before which no fill can be missing.
    """

    gate: list[GateMoved] = []
    halted: dict[str, StrategyHalted] = {}
    protections: dict[str, ProtectionKept] = {}
    rolls: dict[str, RollKept] = {}
    settled: dict[str, DifferenceSettled] = {}
    adjustments: dict[str, int] = {}
    losses: dict[str, LossesMarked] = {}
    fills_whole: dict[str, int] = {}

    def without(self, accounts: Collection[str], owners: Collection[str]) -> "Decisions":
        """Return them without protections, rolls and losses of what some accounts held, and `owners` in them: what these made is gone too."""
        lost = {"platform"} if owners else set()
        lost |= {f"account {name}" for name in accounts} | {f"strategy {name}" for name in owners}
        return msgspec.structs.replace(
            self,
            protections={key: kept for key, kept in self.protections.items() if kept.account not in accounts},
            rolls={key: kept for key, kept in self.rolls.items() if kept.account not in accounts},
            losses={scope: mark for scope, mark in self.losses.items() if scope not in lost},
            fills_whole={name: until_ns for name, until_ns in self.fills_whole.items() if name not in accounts},
        )

    def take(self, record: JournalRecord) -> None:
        """Add a record, if it is a decision."""
        match record:
            case GateMoved():
                self._take_gate(record)
            case StrategyHalted():
                self.halted[record.strategy_id] = record
            case StrategyRearmed():
                self.halted.pop(record.strategy_id, None)
            case LossesMarked(scope=scope, day_ns=day_ns):
                self.losses[scope] = record
                if not day_ns:
                    del self.losses[scope]
            case ProtectionKept() | RollKept():
                self._take_kept(record)
            case DifferenceSettled():
                self.settled[record.difference_id] = record
            case FillsWhole(account=account, until_ns=until_ns):
                self.fills_whole[account] = until_ns
            case Adjusted():
                self.adjustments[record.adjustment_id] = record.time_ns
            case _:
                return

    def _take_gate(self, move: GateMoved) -> None:
        """Keep a lasting move; one to ACTIVE lifts what the same place has of the same cause, or, a person's, everything."""
        lifts = move.state is GateState.ACTIVE
        place = (move.account, move.instrument_id)
        whole = lifts and move.lasting
        self.gate = [
            one for one in self.gate if (one.account, one.instrument_id) != place or not (whole or one.who == move.who)
        ]
        if not lifts and move.lasting:
            self.gate.append(move)

    def _take_kept(self, record: ProtectionKept | RollKept) -> None:
        """Keep what stands as it was last written; what is over is kept no more."""
        if isinstance(record, RollKept):
            self.rolls.pop(record.roll_id, None)
            if record.state:
                self.rolls[record.roll_id] = record
            return
        self.protections.pop(record.protection_id, None)
        if record.state:
            self.protections[record.protection_id] = record
