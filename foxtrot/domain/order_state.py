"""The life of an order as a table.

Everything that decides whether an order may move from one status to another is here. Messages come late, twice and in any
order, so the table is made to be merged: `merge_status` gives the same end for every permutation of the same messages.
"""

from foxtrot.domain.enums import OrderStatus as S

OPEN: frozenset[S] = frozenset({S.CREATED, S.SUBMITTED, S.UNKNOWN, S.ACCEPTED, S.PARTIALLY_FILLED})
"""The order may still trade."""

WORKING: frozenset[S] = frozenset({S.ACCEPTED, S.PARTIALLY_FILLED})
"""The venue has confirmed that the order rests."""

TERMINAL: frozenset[S] = frozenset(S) - OPEN
"""Nothing more happens, except a late fill, which is applied and flagged."""

TRANSITIONS: dict[S, frozenset[S]] = {
    S.CREATED: frozenset({S.DENIED, S.SUBMITTED, S.UNKNOWN, S.ACCEPTED, S.PARTIALLY_FILLED} | (TERMINAL - {S.DENIED})),
    S.SUBMITTED: frozenset({S.DENIED, S.UNKNOWN, S.ACCEPTED, S.PARTIALLY_FILLED} | (TERMINAL - {S.DENIED})),
    S.UNKNOWN: frozenset({S.ACCEPTED, S.PARTIALLY_FILLED, S.DENIED} | (TERMINAL - {S.DENIED})),
    S.ACCEPTED: frozenset({S.PARTIALLY_FILLED, S.FILLED, S.CANCELLED, S.EXPIRED, S.REJECTED}),
    S.PARTIALLY_FILLED: frozenset({S.FILLED, S.CANCELLED, S.EXPIRED, S.REJECTED}),
    S.DENIED: frozenset({S.ACCEPTED, S.PARTIALLY_FILLED} | (TERMINAL - {S.DENIED})),
    S.REJECTED: frozenset({S.CANCELLED, S.EXPIRED, S.FILLED}),
    S.CANCELLED: frozenset({S.FILLED}),
    S.EXPIRED: frozenset({S.CANCELLED, S.FILLED}),
    S.FILLED: frozenset(),
}
"""Status → the statuses it may move to. Terminal ones move only when a late message proves more was done."""

RESOLVED, FORGOTTEN = "resolved", "forgotten_by_venue"
OUR_WORD: frozenset[str] = frozenset({RESOLVED, FORGOTTEN})
"""Rules of a status that nobody but us has told, a person or reconciliation: it yields to whatever the venue tells later."""

TOLD_BY_VENUE: frozenset[S] = frozenset({S.ACCEPTED, S.PARTIALLY_FILLED, S.REJECTED, S.EXPIRED, S.CANCELLED, S.FILLED})
"""What a venue can say of an order; the rest is what we know of it ourselves."""

_RANK: dict[S, int] = {
    S.CREATED: 0, S.SUBMITTED: 1, S.UNKNOWN: 2, S.DENIED: 3, S.ACCEPTED: 4, S.PARTIALLY_FILLED: 5,
    S.REJECTED: 6, S.EXPIRED: 7, S.CANCELLED: 8, S.FILLED: 9,
}  # fmt: skip


def may_move(current: S, new: S) -> bool:
    """Tell whether the table allows a move (staying is not a move)."""
    return new in TRANSITIONS[current]


def merge_status(current: S, reported: S) -> S:
    """Return the status that knows most of the two; commutative, associative and idempotent."""
    return reported if _RANK[reported] > _RANK[current] else current
