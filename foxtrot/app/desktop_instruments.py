"""What a desktop is told of one instrument beside what the instrument itself says: what its fills cost, and its price."""

from foxtrot.app.desktop_preview import FEE_TABLES
from foxtrot.app.desktop_requests import AskInstrument, FeeLine, InstrumentFound
from foxtrot.domain.fees import FeeItem, load_preset
from foxtrot.strategy.line import Line
from foxtrot.trading.position import ZERO


class InstrumentAnswers:
    """Answers what trading an instrument costs.

    Thread: foxtrot-engine; made before it starts, for it reads the tables of fees.

    Blocks (when made): for some small files of the package.
    """

    def __init__(self, line: Line) -> None:
        self._line = line
        self._fees = {venue: load_preset(name) for venue, name in FEE_TABLES.items()}

    def answer(self, request: AskInstrument) -> InstrumentFound:
        """Return what is known of an instrument.

        Raises:
            OrderRefused: there is no such instrument.
        """
        instrument = self._line.instruments.resolve(request.instrument_id)
        table = self._fees.get(instrument.venue)
        reference = self._line.view.reference(instrument.instrument_id)
        return InstrumentFound(
            instrument.instrument_id,
            "" if table is None else table.name,
            instrument.quote_asset if table is None else table.currency or instrument.quote_asset,
            "" if table is None else table.date,
            () if table is None else tuple(_line(item) for item in table.items if not item.is_zero),
            self._line.risk.fee_rate,
            0.0 if reference is None else reference.price,
        )


def _line(item: FeeItem) -> FeeLine:
    tier = item.tier(ZERO)
    side = "" if item.side is None else str(item.side)
    return FeeLine(item.name, item.unit, tier.maker, tier.taker, tier.minimum, side, item.verified)
