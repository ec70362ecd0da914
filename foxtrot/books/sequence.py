"""Sequence rules: how a venue's change ids prove that nothing was lost, one class per rule, named by the rule.

A rule judges by ids alone and keeps nothing. A venue's restart, after which ids may count from lower ones, is not seen by a rule but by
`OldRun`, which every book has.
"""

import enum
from typing import Protocol

from foxtrot.books.level_book import LevelBook
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

    @property
    def numbers_snapshots(self) -> bool:
        """Tell whether snapshots have ids, by which it shows that nothing is missing between one and a change that waited for it."""
        ...

    def after_snapshot(self, snapshot_id: int, change: DepthChange) -> Verdict:
        """Judge a change against the id of a snapshot, until the first one follows."""
        ...

    def after_change(self, last_id: int, change: DepthChange) -> Verdict:
        """Judge a change against the last id of the change applied before it."""
        ...

    def matches(self, levels: LevelBook, change: DepthChange) -> bool:
        """Tell whether the levels after a change have the venue's checksum; asked where the change has one."""
        ...


class IdsAlone:
    """What rules share that look at ids alone: a checksum is not looked at. Wrap such a rule in `Checksum` to have it checked."""

    @property
    def name(self) -> str:
        """Return the rule's name, for messages."""
        return type(self).__name__

    @property
    def numbers_snapshots(self) -> bool:
        """Say that they have."""
        return True

    def matches(self, levels: LevelBook, change: DepthChange) -> bool:
        """Believe the levels."""
        return True


class ContiguousIds(IdsAlone):
    """Each change begins one after the end of the last: U = last u + 1; the first one: U <= lastUpdateId + 1 <= u.

    Source: Binance spot API, web-socket-streams, "How to manage a local order book correctly".
    """

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


class PreviousId(IdsAlone):
    """Each change names the end of the last: pu = last u; the first one: U <= lastUpdateId <= u, or pu = lastUpdateId.

    Source: Binance USDⓈ-M Futures, websocket-market-streams, "How to manage a local order book correctly".
    """

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


class NonceChain(IdsAlone):
    """Each change names the end of the last and the chain is all that counts: begin_nonce = last nonce.

    An id may be lower than the one before it as long as it names that one, as after a venue's maintenance. The first change after a
    snapshot may begin before it and end after it: its sizes are absolute.

    Source: Lighter, websocket reference, order book: "begin_nonce should match the nonce of the previous update". OKX, API guide, order
    book channel, prevSeqId and seqId, with the reset of seqId after maintenance.
    """

    def after_snapshot(self, snapshot_id: int, change: DepthChange) -> Verdict:
        """Judge the first change after a snapshot."""
        verdict = self.after_change(snapshot_id, change)
        return Verdict.FOLLOWS if change.previous_update_id < snapshot_id < change.last_update_id else verdict

    def after_change(self, last_id: int, change: DepthChange) -> Verdict:
        """Judge a change after another."""
        if change.previous_update_id == last_id:
            return Verdict.FOLLOWS
        return Verdict.OLD if change.last_update_id <= last_id else Verdict.GAP


class StreamOrder(IdsAlone):
    """Changes have no ids of their own, and follow each other as they come; what is numbered lower than the last is old.

    The ids are the venue's time, or counted as messages arrive, snapshots too. Nothing shows a loss but a checksum, so that where there is
    none the book is as good as the connection.

    Source: Kraken, websocket v1 and v2, book; Coinbase Exchange, websocket feed, level2 channel: neither numbers its changes.
    """

    def after_snapshot(self, snapshot_id: int, change: DepthChange) -> Verdict:
        """Judge the first change after a snapshot."""
        return self.after_change(snapshot_id, change)

    def after_change(self, last_id: int, change: DepthChange) -> Verdict:
        """Judge a change after another."""
        return Verdict.OLD if change.last_update_id < last_id else Verdict.FOLLOWS


class FullSnapshot(IdsAlone):
    """Every message is the whole book, taken in by `replace`: there are no changes, and one that comes is not of this stream.

    Source: Hyperliquid, websocket subscriptions, l2Book: "a snapshot of the book"; also every partial-depth stream.
    """

    def after_snapshot(self, snapshot_id: int, change: DepthChange) -> Verdict:
        """Refuse a change."""
        return Verdict.GAP

    def after_change(self, last_id: int, change: DepthChange) -> Verdict:
        """Refuse a change."""
        return Verdict.GAP
