"""What came in and went out of USD-M accounts: realised profit, commission, funding, transfers."""

from collections import deque
from decimal import Decimal

from foxtrot.exchange.wire.binance.endpoint import Call
from foxtrot.exchange.wire.binance.numbers import decimal_text
from foxtrot.exchange.wire.binance.usdm_desk import MS_NS, UsdmDesk
from foxtrot.exchange.wire.binance.usdm_page import Row
from foxtrot.exchange.wire.binance.usdm_params import Params

_KEPT = 10_000
_DEFAULT = 100


class IncomeLog:
    """The newest movements of money of each account.

    Thread: exchange-io.
    """

    def __init__(self, desk: UsdmDesk) -> None:
        self._desk = desk
        self._rows: dict[str, deque[Row]] = {}

    def note(self, account: str, kind: str, amount: tuple[Decimal, str], facts: tuple[str, int, int, str]) -> None:
        """Keep one movement.

        Source: Binance USDⓈ-M Futures, Get Income History, incomeType.

        Args:
            account: whose it is.
            kind: REALIZED_PNL, COMMISSION, FUNDING_FEE, TRANSFER, INSURANCE_CLEAR.
            amount: how much, of what; negative went out.
            facts: instrument id ("" for none), UTC ns, the number of the event, the trade id ("" for none).
        """
        instrument_id, time_ns, number, trade_id = facts
        instrument = self._desk.named(instrument_id)
        row: Row = {
            "symbol": "" if instrument is None else instrument.symbol,
            "incomeType": kind,
            "income": decimal_text(amount[0]),
            "asset": amount[1],
            "info": trade_id or kind,
            "time": time_ns // MS_NS,
            "tranId": number,
            "tradeId": trade_id,
        }
        self._rows.setdefault(account, deque(maxlen=_KEPT)).append(row)

    def income(self, call: Call) -> list[Row]:
        """Return movements by symbol, kind and time, oldest first.

        Source: Binance USDⓈ-M Futures, Get Income History.
        """
        params = Params(call.params)
        symbol, kind = params.text("symbol"), params.text("incomeType")
        start, end = params.integer("startTime"), params.integer("endTime")
        if symbol:
            self._desk.side.instrument(symbol)
        rows = [row for row in self._rows.get(call.account, ()) if _fits(row, symbol, kind)]
        found = [row for row in rows if start <= int(str(row["time"])) <= (end or int(str(row["time"])))]
        limit, number = params.limit(_DEFAULT), max(1, params.integer("page", 1))
        if start or params.has("page"):
            return found[(number - 1) * limit : number * limit]
        return found[-limit:]


def _fits(row: Row, symbol: str, kind: str) -> bool:
    return symbol in ("", row["symbol"]) and kind in ("", row["incomeType"])
