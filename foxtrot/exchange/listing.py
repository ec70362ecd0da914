"""The venue's own side of an instrument: listing it, its mark price, funding rate, margin rates and trading state."""

from fractions import Fraction

from foxtrot.domain.enums import TimeInForce
from foxtrot.domain.errors import ConfigError
from foxtrot.exchange.clockwork import Clockwork
from foxtrot.exchange.commands import (
    AddInstrument,
    SetFeePlan,
    SetFundingRate,
    SetMarginRates,
    SetMarkPrice,
    SetTradingState,
    TradingState,
)
from foxtrot.exchange.events import FundingRateChanged, InstrumentAdded, MarkPriceChanged, TradingStateChanged
from foxtrot.exchange.filters import state_refusal
from foxtrot.exchange.market import Market
from foxtrot.exchange.order_life import OrderLife
from foxtrot.exchange.result import DONE, CommandResult, ResultCode

_SECOND_NS = 1_000_000_000


class Listing:
    """Lists instruments and sets what the venue decides about them.

    Thread: belongs to its venue.
    """

    def __init__(self, life: OrderLife, clockwork: Clockwork) -> None:
        self._life = life
        self._state = life.state
        self._clockwork = clockwork

    def add(self, command: AddInstrument) -> CommandResult:
        """List an instrument; funding starts at the next whole interval of the day."""
        instrument, stream = command.instrument, self._state.stream
        if instrument.instrument_id in self._state.markets:
            message = f"{instrument.instrument_id} is listed already"
            return CommandResult(ResultCode.INSTRUMENT_EXISTS, 0, message)
        try:
            market = Market(command)
        except ConfigError as error:
            return CommandResult(ResultCode.INSTRUMENT_UNSUPPORTED, 0, str(error))
        interval = instrument.funding_interval_s * _SECOND_NS
        if interval:
            market.next_funding_ns = stream.time_ns - stream.time_ns % interval + interval
        self._state.markets[instrument.instrument_id] = market
        self._clockwork.time_market(market)
        stream.sink(InstrumentAdded(stream.next(), stream.time_ns, instrument.instrument_id))
        return DONE

    def set_mark_price(self, command: SetMarkPrice) -> CommandResult:
        """Set the price at which positions are valued."""
        market = self._state.markets.get(command.instrument_id)
        if market is None:
            return _unknown(command.instrument_id)
        if command.price <= 0:
            return CommandResult(ResultCode.FILTER_PRICE_MISSING, 0, f"mark price {command.price} must be above 0")
        stream = self._state.stream
        market.mark = command.price
        self._state.moved_marks[market.instrument_id] = None
        stream.sink(MarkPriceChanged(stream.next(), stream.time_ns, market.instrument_id, command.price))
        return DONE

    def set_funding_rate(self, command: SetFundingRate) -> CommandResult:
        """Set the rate of the next fundings and, if told, the next time."""
        market, stream = self._state.markets.get(command.instrument_id), self._state.stream
        if market is None:
            return _unknown(command.instrument_id)
        if not market.instrument.funding_interval_s or not command.rate.is_finite():
            message = f"{market.instrument_id} has no funding, or rate {command.rate} is not finite"
            return CommandResult(ResultCode.INSTRUMENT_UNSUPPORTED, 0, message)
        market.funding_rate = command.rate
        if command.next_funding_ns > stream.time_ns:
            market.next_funding_ns = command.next_funding_ns
            self._clockwork.time_market(market)
        due = market.next_funding_ns
        stream.sink(FundingRateChanged(stream.next(), stream.time_ns, market.instrument_id, command.rate, due))
        return DONE

    def set_margin_rates(self, command: SetMarginRates) -> CommandResult:
        """Set the margin rates."""
        market = self._state.markets.get(command.instrument_id)
        if market is None:
            return _unknown(command.instrument_id)
        if not 0 <= command.maintenance <= command.initial:
            message = f"rates {command.initial} and {command.maintenance}: maintenance must be within 0 and initial"
            return CommandResult(ResultCode.INSTRUMENT_UNSUPPORTED, 0, message)
        market.initial_margin, market.maintenance_margin = Fraction(command.initial), Fraction(command.maintenance)
        self._state.moved_marks[market.instrument_id] = None
        return DONE

    def set_fee_plan(self, command: SetFeePlan) -> CommandResult:
        """Give the accounts of a plan a schedule of their own."""
        market = self._state.markets.get(command.instrument_id)
        if market is None:
            return _unknown(command.instrument_id)
        if not command.plan:
            message = (
                f"{market.instrument_id}: a fee plan needs a name; the fees of all others are those it was listed with"
            )
            return CommandResult(ResultCode.INSTRUMENT_UNSUPPORTED, 0, message)
        market.set_fee_plan(command.plan, command.fees)
        return DONE

    def set_trading_state(self, command: SetTradingState) -> CommandResult:
        """Open, halt or close trading; closing ends DAY orders whose end was not told before."""
        market, stream = self._state.markets.get(command.instrument_id), self._state.stream
        if market is None:
            return _unknown(command.instrument_id)
        if market.expired:
            return state_refusal(market)
        market.state, market.day_end_ns = command.state, command.day_end_ns or market.day_end_ns
        stream.sink(TradingStateChanged(stream.next(), stream.time_ns, market.instrument_id, command.state.value))
        if command.state is TradingState.CLOSED:
            for order in list(self._state.orders.values()):
                if order.instrument_id == market.instrument_id and order.time_in_force is TimeInForce.DAY:
                    self._life.expire(market, order, order.time_in_force.value)
        return DONE


def _unknown(instrument_id: str) -> CommandResult:
    return CommandResult(ResultCode.INSTRUMENT_UNKNOWN, 0, f"instrument {instrument_id} is not listed")
