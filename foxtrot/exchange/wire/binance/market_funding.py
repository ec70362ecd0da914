"""Public REST of USD-M alone: mark price, funding, open interest."""

from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.wire.binance.endpoint import Call
from foxtrot.exchange.wire.binance.market_parameters import chosen, row_limit, time_range
from foxtrot.exchange.wire.binance.market_store import MarketStore
from foxtrot.exchange.wire.binance.numbers import decimal_text, quantity_text

_MS_NS = 1_000_000
_INTEREST_RATE = "0.00010000"


def mark_text(instrument: Instrument, units: int) -> str:
    """Return a mark price, always with eight decimals.

    Source: USDⓈ-M Futures, Mark Price and Mark Price Stream.
    """
    return decimal_text(instrument.price_grid.to_decimal(units))


class MarketFunding:
    """Handlers of premiumIndex, fundingRate, fundingInfo and openInterest.

    Thread: exchange-io.
    """

    def __init__(self, store: MarketStore) -> None:
        self._store = store
        self._side = store.side

    def premium_index(self, call: Call) -> object:
        """Return mark price and next funding of one symbol or all; the venue's index price is its mark price.

        Source: USDⓈ-M Futures, Mark Price.
        """
        instruments, is_list = chosen(self._side, call)
        rows = [self._premium_row(instrument, call.time_ms) for instrument in instruments]
        return rows if is_list else rows[0]

    def funding_rate(self, call: Call) -> object:
        """Return fundings that were paid, oldest first.

        Source: USDⓈ-M Futures, Get Funding Rate History.
        """
        instruments, _ = chosen(self._side, call)
        limit, (start, end) = row_limit(call, 100, 1000), time_range(call)
        rows = [
            {
                "symbol": instrument.symbol,
                "fundingTime": paid.time_ms,
                "fundingRate": decimal_text(paid.rate),
                "markPrice": mark_text(instrument, paid.mark),
            }
            for instrument in instruments
            for paid in self._store.fundings(instrument)
            if paid.time_ms >= start and (end < 0 or paid.time_ms <= end)
        ]
        rows.sort(key=_funding_time)
        return rows[:limit] if start >= 0 else rows[-limit:]

    def funding_info(self, _call: Call) -> object:
        """Return the hours between fundings of every symbol (Binance lists only those that were adjusted).

        Source: USDⓈ-M Futures, Get Funding Rate Info.
        """
        return [
            {
                "symbol": one.symbol,
                "adjustedFundingRateCap": "0.02000000",
                "adjustedFundingRateFloor": "-0.02000000",
                "fundingIntervalHours": one.funding_interval_s // 3600,
                "disclaimer": False,
            }
            for one in self._side.symbols().values()
            if one.funding_interval_s
        ]

    def open_interest(self, call: Call) -> object:
        """Return the sum of all long positions.

        Source: USDⓈ-M Futures, Open Interest.
        """
        instrument, venue = self._side.instrument(call.params["symbol"]), self._side.venue
        held = [one for name in venue.accounts() for one in venue.positions(name)]
        units = sum(one.quantity for one in held if one.instrument_id == instrument.instrument_id and one.quantity > 0)
        return {"symbol": instrument.symbol, "openInterest": quantity_text(instrument, units), "time": call.time_ms}

    def _premium_row(self, instrument: Instrument, now_ms: int) -> dict[str, object]:
        name, venue = instrument.instrument_id, self._side.venue
        rate, next_ns = venue.funding(name)
        mark = mark_text(instrument, venue.ticker(name).mark_price)
        return {
            "symbol": instrument.symbol,
            "markPrice": mark,
            "indexPrice": mark,
            "estimatedSettlePrice": mark,
            "lastFundingRate": decimal_text(rate),
            "interestRate": _INTEREST_RATE,
            "nextFundingTime": next_ns // _MS_NS,
            "time": now_ms,
        }


def _funding_time(row: dict[str, object]) -> int:
    return int(str(row["fundingTime"]))
