"""What an order of a person would come to: worked out on the engine's thread by the parts that would judge it."""

from decimal import Decimal
from typing import Final

import msgspec

from foxtrot.app.config import Config
from foxtrot.app.desktop_requests import OrderPreview, PreviewOrder, TermsFound
from foxtrot.domain.enums import GateState, Liquidity, PositionMode
from foxtrot.domain.errors import ConfigError, OrderRefused
from foxtrot.domain.fees import FeeBasis, FeeSchedule, load_preset
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.order import OrderRequest
from foxtrot.strategy.asked_amounts import sized
from foxtrot.strategy.line import Line
from foxtrot.trading.candidate import Candidate
from foxtrot.trading.position import ZERO

FEE_TABLES: Final = {
    "BINANCE": "binance_spot", "BINANCE_USDM": "binance_usdm", "SEHK": "futu_hk", "NASDAQ": "futu_us", "NYSE": "futu_us",
    "CME": "ib_us_futures", "IDEALPRO": "ib_forex", "OPRA": "ib_us_options",
}  # fmt: skip
"""Venue of an instrument → the table by which its fills are charged."""


class OrderPreviews:
    """Answers what an order would come to; nothing is sent, counted or kept.

    Thread: foxtrot-engine; made before it starts, for it reads the tables of fees.

    Blocks (when made): for some small files of the package.
    """

    def __init__(self, line: Line, config: Config) -> None:
        self._line = line
        self._modes = {name: table.position_mode for name, table in config.accounts.items()}
        self._fees = {venue: load_preset(name) for venue, name in FEE_TABLES.items()}

    def terms(self, account: str) -> TermsFound:
        """Return what an account's venue takes.

        Raises:
            ConfigError: there is no such account.
        """
        adapter = self._line.adapters.get(account)
        if adapter is None:
            known = ", ".join(sorted(self._line.adapters)) or "none"
            raise ConfigError(f"there is no account {account}; there are: {known}")
        return TermsFound(account, adapter.capabilities, self._modes.get(account) is PositionMode.HEDGING)

    def preview(self, request: PreviewOrder) -> OrderPreview:
        """Return what an order would come to.

        Raises:
            OrderRefused: it is no order that could be judged, and why.
        """
        wish = request.order if not request.risk_share else self._sized(request)
        order, refusal = self._line.risk.examine(wish, request.owner)
        refusal = refusal or self._of_gate(order)
        refusal = refusal or _of_bracket(order, request)
        return self._figures(order, request, refusal)

    # --- inside -----------------------------------------------------------------------------------------------------

    def _figures(self, order: Candidate, request: PreviewOrder, refusal: OrderRefused | None) -> OrderPreview:
        wish, instrument, portfolio = order.request, order.instrument, self._line.portfolio
        need_asset, need = self._line.risk.funds.need(order)
        fee, table = self._fee(order)
        held = instrument.quantity(order.position_units)
        equity = account_equity(self._line, wish.account)
        risk = self._lost(order, request.stop_loss)
        reward = self._lost(order, request.take_profit)
        return OrderPreview(
            instrument.instrument_id, wish.account, str(wish.side), wish.quantity, order.price, instrument.quote_asset, order.notional,
            need_asset, need, self._free(wish.account, need_asset), fee, instrument.quote_asset, table, held,
            instrument.quantity(order.position_units + order.sign * order.quantity_units), portfolio.base_currency, equity, risk,
            self._share(risk, instrument, equity), None if reward is None else -reward,
            "" if refusal is None else refusal.rule, "" if refusal is None else str(refusal),
        )  # fmt: skip

    def _sized(self, request: PreviewOrder) -> OrderRequest:
        """Return the order with the quantity by which its stop loses a fraction of the account's equity.

        Raises:
            OrderRefused: equity or a rate is not known, or the stop is missing.
        """
        wish, line = request.order, self._line
        instrument = line.instruments.resolve(wish.instrument_id)
        equity = account_equity(line, wish.account)
        base = line.portfolio.base_currency
        money = None if equity is None else line.rates.convert(equity, base, instrument.quote_asset)
        if money is None or money <= 0:
            raise OrderRefused("quantity_for", f"an equity of {wish.account} in {instrument.quote_asset}", "not known")
        reference = line.view.reference(instrument.instrument_id)
        price = wish.price or wish.trigger_price or (reference.price if reference is not None else 0.0)
        if not price:
            raise OrderRefused("reference", "a price heard from the market", "none yet")
        quantity = sized(instrument, 0.0, float(money) * request.risk_share, request.stop_loss, price)
        return msgspec.structs.replace(wish, quantity=quantity)

    def _of_gate(self, order: Candidate) -> OrderRefused | None:
        """Return why the gate would not let an order through, None where it would."""
        gate, wish = self._line.gate, order.request
        if gate.state is GateState.HALTED:
            return OrderRefused("gate", str(gate.state), gate.reason, f"the gate is {gate.state}: {gate.reason}")
        why = "" if order.reduces else gate.why_no_entries(wish.account, order.instrument.instrument_id)
        return OrderRefused("gate", "open for entries", why, why) if why else None

    def _fee(self, order: Candidate) -> tuple[Decimal, str]:
        instrument = order.instrument
        table = self._fees.get(instrument.venue)
        rate = self._line.risk.fee_rate
        schedule = table or FeeSchedule.percentage(rate, rate)
        liquidity = Liquidity.MAKER if order.request.post_only else Liquidity.TAKER
        quantity = instrument.quantity_grid.to_decimal(order.quantity_units)
        fee = schedule.fee(FeeBasis(order.request.side, liquidity, quantity, order.notional))
        return fee, "" if table is None else table.name

    def _free(self, account: str, asset: str) -> Decimal | None:
        known = self._line.portfolio.account(account).opening is not None
        return self._line.risk.funds.free(account, asset) if known else None

    def _lost(self, order: Candidate, price: float) -> Decimal | None:
        """Return what closing at a price loses against the entry, in the quote asset; None without one of the two."""
        if not price or not order.price:
            return None
        distance = (Decimal(repr(order.price)) - Decimal(repr(price))) * order.sign
        instrument = order.instrument
        return distance * instrument.quantity_grid.to_decimal(order.quantity_units) * instrument.multiplier

    def _share(self, risk: Decimal | None, instrument: Instrument, equity: Decimal | None) -> float | None:
        base = self._line.portfolio.base_currency
        money = None if risk is None else self._line.rates.convert(risk, instrument.quote_asset, base)
        return float(money / equity) if money is not None and equity else None


def account_equity(line: Line, account: str) -> Decimal | None:
    """Return what an account is worth in the base currency by our own count, None while that is not known.

    It is balances and open profit. Of coins that have no rate the account is said to be worth nothing, so that a size made of it is rather too small.
    """
    portfolio, base = line.portfolio, line.portfolio.base_currency
    if portfolio.account(account).opening is None:
        return None
    total = ZERO
    for asset, amount in portfolio.balances(account).items():
        total += line.rates.convert(amount, asset, base) or ZERO
    for (name, instrument_id, _), position in portfolio.net_positions():
        if name != account or not position.instrument.product.is_derivative or not position.quantity:
            continue
        mark = Decimal(repr(line.view.mark(instrument_id) or position.average_price))
        profit = line.rates.convert(position.unrealised_profit(mark), position.instrument.settle_asset, base)
        if profit is None:
            return None
        total += profit
    return total


def _of_bracket(order: Candidate, request: PreviewOrder) -> OrderRefused | None:
    """Return why a bracket does not fit its entry, None where it does."""
    price = order.price
    for name, value, sign in (
        ("stop_loss", request.stop_loss, order.sign),
        ("take_profit", request.take_profit, -order.sign),
    ):
        if value and price and (price - value) * sign <= 0.0:
            place = "below" if sign > 0 else "above"
            return OrderRefused("protection", f"a {name} {place} the entry at {price}", str(value))
    return None
