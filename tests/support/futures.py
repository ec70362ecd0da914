"""Two neighbouring futures and the days at their ends, for tests of rolling."""

from foxtrot.domain.instrument import Instrument
from tests.support.instruments import a_future
from tests.support.line_rig import T0

DAY_NS = 86_400 * 1_000_000_000


def two_futures(days: float = 10.0, **changes: object) -> tuple[Instrument, Instrument]:
    """Return the contract that ends in so many days of a line's first moment, and the one three months later."""
    over_ns = T0 + int(days * DAY_NS)
    old = a_future(expiry_ns=over_ns, **changes)
    new = a_future(instrument_id="ESH7.TEST", symbol="ESH7", expiry_ns=over_ns + 91 * DAY_NS, **changes)
    return old, new
