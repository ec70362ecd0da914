"""The exception tree.

FoxtrotError
├── ConfigError             settings or arguments are wrong; found before anything starts
│   └── InputError          a data file is missing, malformed or ambiguous
├── OrderRefused            we said no; carries rule, limit and value
│   └── OffGrid             a price or quantity between two legal steps; carries the nearest legal ones
├── AdapterError            carries venue, code and text
│   ├── ConnectionLost      the session retries by itself
│   ├── RateLimited         try again after retry_after_s
│   ├── RequestTimedOut     the outcome is UNKNOWN: reconcile, never resend blindly
│   ├── LoginFailed         do not try again
│   ├── VenueRejected       the venue said no
│   └── BadMessage          cannot be decoded
├── BookOutOfSync           a gap: drop the book, ask for a snapshot
├── QueueClosed             put after stop: the event was not taken
├── StrategyFailed          a plugin raised: that plugin is halted
└── InvariantBroken         our bug: trading is halted
"""


class FoxtrotError(Exception):
    """Root of everything that Foxtrot raises on purpose; survives pickling, so that worker processes may raise it."""

    def __reduce__(self) -> "tuple[object, ...]":
        """Pickle message and attributes; the default would call `__init__` with the message alone."""
        return _restore, (type(self), self.args, self.__dict__)


def _restore(kind: type[FoxtrotError], args: tuple[object, ...], attributes: dict[str, object]) -> FoxtrotError:
    error = kind.__new__(kind)
    error.args = args
    error.__dict__.update(attributes)
    return error


class ConfigError(FoxtrotError):
    """A setting or argument is wrong; the message names the key, the value and the fix.

    `key` is the key alone where it is known, so that whoever read it from a file can say where it stands.
    """

    def __init__(self, message: str = "", *, key: str = "") -> None:
        super().__init__(message)
        self.key = key


class InputError(ConfigError):
    """A data file or table cannot be used; the message names the place and the fix."""


class OrderRefused(FoxtrotError):
    """An order was refused before it left; `rule`, `limit` and `value` say why."""

    def __init__(self, rule: str, limit: str, value: str, message: str = "") -> None:
        super().__init__(message or f"{rule}: {value} is against the limit {limit}")
        self.rule = rule
        self.limit = limit
        self.value = value


class OffGrid(OrderRefused):
    """A price or quantity is not a legal step; `below` and `above` are the nearest legal ones, as decimal text."""

    def __init__(self, what: str, value: str, below: str, above: str) -> None:
        nearest = below if below == above else f"{below} or {above}"
        super().__init__(f"{what}_grid", nearest, value, f"{what} {value} is off the grid; nearest legal: {nearest}")
        self.below = below
        self.above = above


class AdapterError(FoxtrotError):
    """Something a venue or the way to it did; `venue`, `code` and `text` are the venue's own words."""

    def __init__(self, venue: str, code: str, text: str) -> None:
        super().__init__(f"{venue} {code}: {text}")
        self.venue = venue
        self.code = code
        self.text = text


class ConnectionLost(AdapterError):
    """The connection is gone; the session reconnects by itself."""


class RateLimited(AdapterError):
    """The venue asked for fewer requests; nothing may be sent for `retry_after_s` seconds."""

    def __init__(self, venue: str, code: str, text: str, retry_after_s: float) -> None:
        super().__init__(venue, code, text)
        self.retry_after_s = retry_after_s


class RequestTimedOut(AdapterError):
    """No answer in time: whether the venue acted is unknown."""


class LoginFailed(AdapterError):
    """The venue refused the credentials; retrying would not help."""


class VenueRejected(AdapterError):
    """The venue refused the request."""


class BadMessage(AdapterError):
    """A message from the venue cannot be decoded."""


class BookOutOfSync(FoxtrotError):
    """A depth change does not follow the last one: the book must be dropped and fetched anew."""


class QueueClosed(FoxtrotError):
    """An event was put after the engine stopped; it was not taken."""


class StrategyFailed(FoxtrotError):
    """A strategy raised; the cause is chained."""


class InvariantBroken(FoxtrotError):
    """A promise of our own code does not hold; trading is halted."""
