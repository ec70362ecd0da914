"""What expires is listed by the date: the front two quarterly futures, and options of the next third Friday."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from foxtrot.domain.enums import Product
from foxtrot.exchange.dated_listings import (
    aapl_options,
    activity_shares,
    es_futures,
    ib_listings,
    opening_prices,
    third_friday,
)


def ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 1_000_000_000


@pytest.mark.parametrize(
    ("now", "names"),
    [
        ("2026-11-28T02:00", ["ESZ6.CME", "ESH7.CME"]),
        ("2026-12-18T14:29", ["ESZ6.CME", "ESH7.CME"]),  # 08:29 in Chicago, a minute before the end
        ("2026-12-18T14:30", ["ESH7.CME", "ESM7.CME"]),
        ("2026-12-31T23:59", ["ESH7.CME", "ESM7.CME"]),
        ("2029-12-30T00:00", ["ESH0.CME", "ESM0.CME"]),
    ],
)
def test_the_front_two_futures_at_a_moment(now: str, names: list[str]) -> None:
    assert [one.instrument_id for one in es_futures(ns(now))] == names


def test_a_future_ends_on_the_third_friday_at_half_past_eight_in_chicago() -> None:
    front, back = es_futures(ns("2026-11-28T02:00"))
    assert front.expiry_ns == ns("2026-12-18T14:30")
    assert back.expiry_ns == ns("2027-03-19T13:30")  # summer time
    assert (front.multiplier, front.price_grid.step, front.product) == (Decimal(50), Decimal("0.25"), Product.FUTURE)


def test_options_end_on_the_next_third_friday_and_are_named_as_occ_does() -> None:
    options = aapl_options(ns("2026-11-28T02:00"))
    assert "AAPL261218C00200000.OPRA" in [one.instrument_id for one in options]
    assert all(one.underlying == "AAPL.NASDAQ" and one.expiry_ns == ns("2026-12-18T21:00") for one in options)
    assert aapl_options(ns("2026-12-18T21:00"))[0].symbol.startswith("AAPL270115")


def test_every_month_has_a_third_friday_and_listings_never_fail() -> None:
    day = date(2026, 11, 28)
    while day < date(2036, 1, 1):
        friday = third_friday(day.year, day.month)
        assert friday.weekday() == 4
        assert 15 <= friday.day <= 21
        listed = ib_listings(ns(f"{day}T12:00"))
        assert len({one.instrument_id for one in listed}) == len(listed) == 13
        assert all(price > 0 for price in opening_prices(listed).values())
        assert len(opening_prices(listed)) == 13
        day += timedelta(days=19)


def test_opening_prices_are_legal_and_dearer_the_more_an_option_is_worth() -> None:
    listed = ib_listings(ns("2026-11-28T02:00"))
    prices = opening_prices(listed)
    for one in listed:
        assert one.price_grid.to_decimal(one.price_units(prices[one.instrument_id])) == prices[one.instrument_id]
    calls = [prices[one.instrument_id] for one in listed if one.right == "call"]
    assert calls == sorted(calls, reverse=True)


def test_activity_goes_to_what_one_looks_at_first() -> None:
    listed = ib_listings(ns("2026-11-28T02:00"))
    shares = dict(zip((one.instrument_id for one in listed), activity_shares(listed), strict=True))
    assert sum(shares.values()) == pytest.approx(1)
    assert shares["EURUSD.IDEALPRO"] == shares["ESZ6.CME"] > shares["ESH7.CME"] > shares["AAPL261218C00200000.OPRA"] > 0
    assert activity_shares(listed[:1]) == ()
