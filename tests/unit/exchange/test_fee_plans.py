"""Fees by plan: the same instrument costs the accounts of a plan what the plan says, also after the venue is restored."""

from decimal import Decimal

from foxtrot.domain.enums import OrderType, Side
from foxtrot.domain.fees import FeeSchedule, load_preset
from foxtrot.exchange.commands import AddInstrument, Deposit, OpenAccount, PlaceOrder, SetFeePlan
from foxtrot.exchange.events import OrderFilled, VenueEvent
from foxtrot.exchange.listings import listing
from foxtrot.exchange.result import ResultCode
from foxtrot.exchange.venue import Venue

AAPL = "AAPL.NASDAQ"
IB_FEE = Decimal("1.0072")
"""Of a hundred shares by ib_us_fixed: the least commission, and 0.000072 a share of regulatory fees."""


def make_venue(events: list[VenueEvent]) -> Venue:
    venue = Venue(events.append)
    venue.execute(AddInstrument(1, listing(AAPL), fees=FeeSchedule.percentage(0, "0.001")))
    assert venue.execute(SetFeePlan(1, AAPL, "ib", load_preset("ib_us_fixed"))).ok
    for name, plan in (("plain", ""), ("planned", "ib"), ("other", "")):
        venue.execute(OpenAccount(1, name, fee_plan=plan, allow_short=True))
        venue.execute(Deposit(1, name, "USD", Decimal(1_000_000)))
    return venue


def trade(venue: Venue, buyer: str) -> None:
    """The buyer takes a hundred shares at 200 USD from somebody else."""
    venue.execute(PlaceOrder(2, "other", AAPL, f"sell-{buyer}", Side.SELL, OrderType.LIMIT, 100, 2_000_000))
    assert venue.execute(PlaceOrder(2, buyer, AAPL, f"buy-{buyer}", Side.BUY, OrderType.LIMIT, 100, 2_000_000)).ok


def fee_of(events: list[VenueEvent], account: str) -> Decimal:
    return next(one.fee for one in events if isinstance(one, OrderFilled) and one.account == account)


def test_an_account_is_charged_by_its_plan_and_every_other_by_the_instrument_s_own() -> None:
    events: list[VenueEvent] = []
    venue = make_venue(events)
    trade(venue, "plain")
    trade(venue, "planned")
    assert fee_of(events, "plain") == Decimal(20)
    assert fee_of(events, "planned") == IB_FEE
    assert (venue.fees(AAPL).name, venue.fees(AAPL, "plain").name) == ("percentage", "percentage")
    assert venue.fees(AAPL, "planned").name == "ib_us_fixed"
    venue.validate()


def test_plans_outlive_a_snapshot_and_are_in_the_hash() -> None:
    events: list[VenueEvent] = []
    venue = make_venue(events)
    again = Venue.restore(venue.snapshot(), events.append)
    assert again.state_hash() == venue.state_hash()
    trade(again, "planned")
    assert fee_of(events, "planned") == IB_FEE
    again.validate()


def test_a_plan_is_charged_where_the_instrument_itself_is_free() -> None:
    events: list[VenueEvent] = []
    venue = Venue(events.append)
    venue.execute(AddInstrument(1, listing(AAPL), fees=FeeSchedule.zero()))
    venue.execute(SetFeePlan(1, AAPL, "ib", load_preset("ib_us_fixed")))
    for name, plan in (("planned", "ib"), ("other", "")):
        venue.execute(OpenAccount(1, name, fee_plan=plan, allow_short=True))
        venue.execute(Deposit(1, name, "USD", Decimal(1_000_000)))
    trade(venue, "planned")
    assert fee_of(events, "planned") == IB_FEE
    assert fee_of(events, "other") == 0


def test_a_plan_needs_a_name_and_an_instrument() -> None:
    venue = make_venue([])
    zero = FeeSchedule.zero()
    assert venue.execute(SetFeePlan(1, AAPL, "", zero)).code is ResultCode.INSTRUMENT_UNSUPPORTED
    assert venue.execute(SetFeePlan(1, "NONE", "ib", zero)).code is ResultCode.INSTRUMENT_UNKNOWN
