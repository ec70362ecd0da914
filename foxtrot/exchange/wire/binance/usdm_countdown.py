"""The dead-man's switch: open orders of a symbol are cancelled unless the customer calls again in time."""

from foxtrot.exchange.commands import CancelAll
from foxtrot.exchange.wire.binance.endpoint import Call
from foxtrot.exchange.wire.binance.usdm_desk import MS_NS, UsdmDesk
from foxtrot.exchange.wire.binance.usdm_errors import missing
from foxtrot.exchange.wire.binance.usdm_page import Row
from foxtrot.exchange.wire.binance.usdm_params import Params


class Countdowns:
    """When the orders of which account and contract are cancelled.

    Thread: exchange-io.
    """

    def __init__(self, desk: UsdmDesk) -> None:
        self._desk = desk
        self._due: dict[tuple[str, str], int] = {}

    def set(self, call: Call) -> Row:
        """Begin a countdown anew; 0 stops it.

        Source: Binance USDⓈ-M Futures, Auto-Cancel All Open Orders.
        """
        params = Params(call.params)
        instrument = self._desk.side.instrument(params.needed("symbol"))
        params.needed("countdownTime")
        span_ms = params.integer("countdownTime")
        if span_ms < 0:
            raise missing("countdownTime")
        key = (call.account, instrument.instrument_id)
        self._due.pop(key, None)
        if span_ms:
            self._due[key] = self._desk.side.now_ns() + span_ms * MS_NS
        return {"symbol": instrument.symbol, "countdownTime": str(span_ms)}

    def tick(self, now_ns: int) -> None:
        """Cancel the orders whose countdown is over.

        Source: Binance USDⓈ-M Futures, Auto-Cancel All Open Orders.
        """
        for key in [key for key, due in self._due.items() if due <= now_ns]:
            del self._due[key]
            self._desk.execute(CancelAll(now_ns, *key))
