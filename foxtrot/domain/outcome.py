"""What is known of a request that trades, once its sending is over: four words and no fifth."""

import enum


class Outcome(enum.StrEnum):
    """CONFIRMED: the venue has taken it. REFUSED: the venue said no. DENIED_LOCALLY: not one byte of it left. UNKNOWN: all else.

    Silence is never a refusal: a time-out, a server error, a lost connection or an answer that cannot be read leaves an order UNKNOWN, and
    so does every error that its venue's table does not list. UNKNOWN ends by evidence alone: a report of the venue, NOT FOUND past the
    adapter's stated bound, or a person's word.
    """

    CONFIRMED = "confirmed"
    REFUSED = "refused"
    DENIED_LOCALLY = "denied_locally"
    UNKNOWN = "unknown"
