"""Sequence rules: how a venue's change ids prove that nothing was lost, one class per rule, named by the rule."""

import enum
from typing import Protocol

from foxtrot.domain.market import DepthChange


class Verdict(enum.StrEnum):
    """What a rule says about a change: it follows, it is older than the book, or something is missing before it."""

    FOLLOWS = "follows"
    OLD = "old"
    GAP = "gap"


class SequenceRule(Protocol):
    """Judges changes by their ids alone; stateless."""

    @property
    def name(self) -> str:
        """Return the rule's name, for messages."""
        ...

    def after_snapshot(self, snapshot_id: int, change: DepthChange) -> Verdict:
        """Judge a change against the id of a snapshot, until the first one follows."""
        ...

    def after_change(self, last_id: int, change: DepthChange) -> Verdict:
        """Judge a change against the last id of the change applied before it."""
        ...


class ContiguousIds:
    """Each change begins one after the end of the last: U = last u + 1; the first one: U <= lastUpdateId + 1 <= u.

    Source: Binance spot API, web-socket-streams, "How to manage a local order book correctly".
    """

    name = "ContiguousIds"

    def after_snapshot(self, snapshot_id: int, change: DepthChange) -> Verdict:
        """Judge the first change after a snapshot."""
        if change.last_update_id <= snapshot_id:
            return Verdict.OLD
        return Verdict.FOLLOWS if change.first_update_id <= snapshot_id + 1 else Verdict.GAP

    def after_change(self, last_id: int, change: DepthChange) -> Verdict:
        """Judge a change after another."""
        if change.first_update_id == last_id + 1:
            return Verdict.FOLLOWS
        return Verdict.OLD if change.last_update_id <= last_id else Verdict.GAP


class PreviousId:
    """Each change names the end of the last: pu = last u; the first one: U <= lastUpdateId <= u, or pu = lastUpdateId.

    Source: Binance USDⓈ-M Futures, websocket-market-streams, "How to manage a local order book correctly".
    """

    name = "PreviousId"

    def after_snapshot(self, snapshot_id: int, change: DepthChange) -> Verdict:
        """Judge the first change after a snapshot."""
        if change.last_update_id < snapshot_id:
            return Verdict.OLD
        bridges = change.first_update_id <= snapshot_id or change.previous_update_id == snapshot_id
        return Verdict.FOLLOWS if bridges else Verdict.GAP

    def after_change(self, last_id: int, change: DepthChange) -> Verdict:
        """Judge a change after another."""
        if change.previous_update_id == last_id:
            return Verdict.FOLLOWS
        return Verdict.OLD if change.last_update_id <= last_id else Verdict.GAP
