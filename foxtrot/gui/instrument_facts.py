"""What there is to say of an instrument, as lines of a name and a value."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from math import isfinite
from typing import NamedTuple

from foxtrot.app.desktop_requests import FeeLine, InstrumentFound
from foxtrot.domain.calendar_presets import calendar_named
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import FundingRate
from foxtrot.gui.columns import Tone
from foxtrot.gui.numbers import NOTHING, SECOND_NS, money_text, price_decimals, price_text, time_text
from foxtrot.gui.texts import tr

DAY_S = 86_400


class Line(NamedTuple):
    """One line of the details: the key of its name, its value, and what its colour says."""

    key: str
    value: str
    tone: Tone = Tone.PLAIN


def lines_of(
    one: Instrument, accounts: list[str], found: InstrumentFound | None, price: float, funding: FundingRate | None, now_ns: int
) -> list[Line]:  # fmt: skip
    """Return all lines; `found` is the platform's answer, None before it came."""
    return [
        Line("id", one.instrument_id), Line("name", one.name or NOTHING), Line("product", product_text(one)),
        Line("assets", f"{one.base_asset} / {one.quote_asset} → {one.settle_asset}"),
        Line("accounts", ", ".join(accounts) or NOTHING), *_steps(one, price), *_session(one, now_ns), *_margin(one, price),
        *_fees(found), *_funding(one, funding, now_ns), *_terms(one, now_ns),
    ]  # fmt: skip


def _steps(one: Instrument, price: float) -> Iterator[Line]:
    bands = one.price_bands
    if len(bands) == 1:
        yield Line("tick", one.price_grid.to_text(bands[0].step_units))
    else:
        now = one.price_grid.to_text(one.step_units(one.price_grid.round(price))) if price > 0.0 else NOTHING
        yield Line("tick", now)
        steps = (f"≥ {one.price_grid.to_text(band.from_units)}: {one.price_grid.to_text(band.step_units)}" for band in bands)  # fmt: skip
        yield Line("bands", "\n".join(steps))
    if one.price_limit_rate:
        yield Line("limit", f"± {_rate(one.price_limit_rate)}")
    yield Line("lot", one.quantity_grid.to_text(one.lot_units))
    yield Line("minimum", one.quantity_grid.to_text(max(one.min_quantity_units, one.lot_units)))
    if one.max_quantity_units:
        yield Line("maximum", one.quantity_grid.to_text(one.max_quantity_units))
    if one.min_notional:
        yield Line("min_notional", f"{_plain(one.min_notional)} {one.quote_asset}")
    if one.max_notional:
        yield Line("max_notional", f"{_plain(one.max_notional)} {one.quote_asset}")
    if one.multiplier != 1:
        yield Line("multiplier", _plain(one.multiplier))


def _session(one: Instrument, now_ns: int) -> Iterator[Line]:
    try:
        calendar = calendar_named(one.calendar)
        if calendar.always_open:
            yield Line("session", tr("instruments.always_open"), Tone.GOOD)
            return
        is_open = calendar.is_open(now_ns)
        turn_ns = calendar.next_close_ns(now_ns) if is_open else calendar.next_open_ns(now_ns)
    except ConfigError as error:
        yield Line("session", f"{one.calendar}: {error}", Tone.WARNING)
        return
    state = tr("instruments.open" if is_open else "instruments.closed")
    yield Line("session", f"{'●' if is_open else '○'} {state} ({calendar.name})", Tone.GOOD if is_open else Tone.WARNING)  # fmt: skip
    if turn_ns is not None:
        moment = datetime.fromtimestamp(turn_ns // SECOND_NS, calendar.zone).strftime("%Y-%m-%d %H:%M %Z")
        yield Line("next_close" if is_open else "next_open", f"{moment}   {countdown(turn_ns - now_ns)}")


def _margin(one: Instrument, price: float) -> Iterator[Line]:
    if not one.product.is_derivative and one.initial_margin_rate >= 1:
        return
    text = _rate(one.initial_margin_rate)
    if price > 0.0:
        units = max(one.min_quantity_units, one.lot_units)
        notional = Decimal(repr(price)) * one.quantity_grid.to_decimal(units) * one.multiplier
        amount = money_text(notional * one.initial_margin_rate, 2)
        text += "   " + tr("instruments.for_least", amount=f"{amount} {one.settle_asset}")
    yield Line("initial_margin", text)
    if one.maintenance_margin_rate:
        yield Line("maintenance_margin", _rate(one.maintenance_margin_rate))


def _fees(found: InstrumentFound | None) -> Iterator[Line]:
    if found is None:
        yield Line("fees", "…", Tone.DIM)
        return
    for fee in found.fees:
        yield Line("fees", _fee(fee, found.fee_currency))
    if not found.fees:
        yield Line("fees", tr("instruments.no_table"), Tone.DIM)
    yield Line("counted", _rate(found.counted_rate))
    if found.fee_table:
        yield Line("fee_table", f"{found.fee_table} {found.fee_date}", Tone.DIM)


def _fee(fee: FeeLine, currency: str) -> str:
    def of(rate: Decimal) -> str:
        return _rate(rate) if fee.unit in ("notional", "item") else f"{_plain(rate)} {currency}"

    rates = of(fee.taker) if fee.maker == fee.taker else f"{of(fee.maker)} / {of(fee.taker)}"
    parts = [fee.name.replace("_", " "), rates]
    if fee.unit != "notional":
        parts.append(tr(f"instruments.per_{fee.unit}"))
    if fee.side:
        parts.append(tr(f"instruments.only_{fee.side}"))
    if fee.minimum:
        parts.append(tr("instruments.at_least", amount=f"{_plain(fee.minimum)} {currency}"))
    if not fee.verified:
        parts.append(tr("instruments.unverified"))
    return "  ".join(parts)


def _funding(one: Instrument, funding: FundingRate | None, now_ns: int) -> Iterator[Line]:
    if funding is None:
        if one.funding_interval_s:
            yield Line("funding", tr("instruments.funding_every", hours=f"{one.funding_interval_s / 3600:g}"), Tone.DIM)
        return
    who = "" if not funding.rate else tr("instruments.longs_pay" if funding.rate > 0 else "instruments.shorts_pay")
    sign = "+" if funding.rate > 0 else ""
    yield Line("funding", f"{sign}{_rate(Decimal(repr(funding.rate)))}  {who}".rstrip())
    left_ns = funding.next_funding_time_ns - now_ns
    if funding.next_funding_time_ns:
        yield Line("next_funding", f"{countdown(left_ns)}   {time_text(funding.next_funding_time_ns)[:8]} UTC")


def _terms(one: Instrument, now_ns: int) -> Iterator[Line]:
    if one.underlying:
        yield Line("underlying", one.underlying)
    if one.strike:
        yield Line("strike", f"{price_text(float(one.strike), price_decimals(one))}  {one.right}".rstrip())
    for key, moment_ns in (("expiry", one.expiry_ns), ("notice", one.notice_ns)):
        if moment_ns:
            moment = datetime.fromtimestamp(moment_ns // SECOND_NS, UTC).strftime("%Y-%m-%d %H:%M UTC")
            left = countdown(moment_ns - now_ns)
            near = moment_ns - now_ns < 7 * DAY_S * SECOND_NS
            yield Line(key, f"{moment}   {left}", Tone.WARNING if near else Tone.PLAIN)
    if one.max_open_orders:
        yield Line("max_open_orders", str(one.max_open_orders))


def product_text(one: Instrument) -> str:
    """Return what kind of thing an instrument is."""
    return tr(f"instruments.product_{one.product}")


def countdown(left_ns: int) -> str:
    """Return how long until something, to the second within a day."""
    seconds = left_ns // SECOND_NS
    if seconds < 0:
        return tr("instruments.over")
    days, rest = divmod(seconds, DAY_S)
    clock = f"{rest // 3600:02d}:{rest // 60 % 60:02d}:{rest % 60:02d}"
    return tr("instruments.days", days=days, clock=clock[:5]) if days else clock


def _rate(rate: Decimal) -> str:
    """Return a fraction as a percentage with all its digits."""
    return f"{_plain(rate * 100)} %" if isfinite(rate) else NOTHING


def _plain(amount: Decimal) -> str:
    text = f"{amount:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
