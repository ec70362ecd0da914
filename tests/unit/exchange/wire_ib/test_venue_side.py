"""What all parts of TWS's surface share: contracts and their ids, accounts, order ids, hours, rates."""

from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest

from foxtrot.exchange.commands import AddInstrument, OpenAccount, SetMarkPrice
from foxtrot.exchange.dated_listings import ib_listings
from foxtrot.exchange.listings import default_listings
from foxtrot.exchange.venue import Venue
from foxtrot.exchange.wire.ib import contract_table
from foxtrot.exchange.wire.ib.account_figures import AccountBooks
from foxtrot.exchange.wire.ib.asked_contract import AskedContract, read_contract
from foxtrot.exchange.wire.ib.connection import IbClient
from foxtrot.exchange.wire.ib.connectivity import Connectivity
from foxtrot.exchange.wire.ib.contract_hours import hours_text
from foxtrot.exchange.wire.ib.ib_contract import con_id_of
from foxtrot.exchange.wire.ib.layout import FieldReader
from foxtrot.exchange.wire.ib.surface_settings import IbSettings
from foxtrot.exchange.wire.ib.venue_side import IbContract, IbSide

NOW_NS = 1_795_834_800_000_000_000  # 2026-11-28 03:00 UTC
MONDAY_NS = 1_796_050_800_000_000_000  # 2026-11-30 15:00 UTC, 10:00 in New York


def make_side(*, now_ns: int = NOW_NS, always_open: bool = True) -> IbSide:
    """A venue with everything that is listed by default, as IB's clients see it."""
    venue = Venue(lambda _event: None)
    for one in (*default_listings(), *ib_listings(NOW_NS)):
        assert venue.execute(AddInstrument(NOW_NS, one)).ok
    return IbSide(venue, lambda: now_ns, IbSettings(always_open=always_open))


def the(side: IbSide, instrument_id: str) -> IbContract:
    """The contract of an instrument."""
    found = side.contracts.of_instrument(instrument_id)
    assert found is not None
    return found


def test_contract_ids_are_the_same_in_every_run() -> None:
    side = make_side()
    assert the(side, "AAPL.NASDAQ").con_id == con_id_of("AAPL.NASDAQ") == 1_515_530_637
    ids = [one.con_id for one in side.contracts.all()]
    assert len(set(ids)) == len(ids) == 15
    assert all(0 < one < 2**31 for one in ids)
    assert side.contracts.of_con_id(ids[3]) == side.contracts.all()[3]


def test_two_contracts_whose_ids_would_be_equal_get_two(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contract_table, "con_id_of", lambda _name, attempt=0: 7 + attempt)
    ids = [one.con_id for one in make_side().contracts.all()]
    assert sorted(ids) == list(range(7, 22))


def test_what_binance_lists_is_no_contract() -> None:
    side = make_side()
    assert side.contracts.of_instrument("BTCUSDT.BINANCE") is None
    assert side.contracts.of_con_id(5) is None


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        (AskedContract(symbol="AAPL", sec_type="STK", exchange="SMART", currency="USD"), ["AAPL.NASDAQ"]),
        (AskedContract(symbol="AAPL", sec_type="STK", exchange="NASDAQ", currency="USD"), ["AAPL.NASDAQ"]),
        (AskedContract(symbol="AAPL", sec_type="STK", exchange="SMART", primary_exchange="NASDAQ"), ["AAPL.NASDAQ"]),
        (AskedContract(symbol="AAPL", sec_type="STK", exchange="SMART", primary_exchange="NYSE"), []),
        (AskedContract(symbol="ES", sec_type="FUT", exchange="SMART"), []),
        (AskedContract(symbol="ES", sec_type="FUT", exchange="CME"), ["ESZ6.CME", "ESH7.CME"]),
        (AskedContract(local_symbol="ESZ6", sec_type="FUT", exchange="CME"), ["ESZ6.CME"]),
        (AskedContract(local_symbol="EUR.USD", sec_type="CASH"), ["EURUSD.IDEALPRO"]),
        (AskedContract(symbol="700", sec_type="STK", exchange="SEHK", currency="HKD"), ["00700.SEHK"]),
        (AskedContract(symbol="00700", sec_type="STK", exchange="SEHK"), []),
        (
            AskedContract(symbol="AAPL", sec_type="OPT", expiry="20261218", strike="200", right="C", exchange="SMART"),
            ["AAPL261218C00200000.OPRA"],
        ),
        (AskedContract(sec_type="STK"), []),
    ],
)
def test_contracts_are_found_by_what_is_said_of_them(asked: AskedContract, found: list[str]) -> None:
    assert [one.instrument_id for one in make_side().contracts.find(asked)] == found


def test_a_contract_is_read_as_clients_write_it() -> None:
    texts = ["0", "aapl", "opt", "20261218", "200.0", "CALL", "100", "smart", "", "usd", "", "AAPL", "left"]
    reader = FieldReader(texts)
    assert read_contract(reader, 157) == AskedContract(
        symbol="AAPL", sec_type="OPT", expiry="20261218", strike="200", right="C", multiplier="100", exchange="SMART",
        currency="USD", trading_class="AAPL",
    )  # fmt: skip
    assert reader.left == 1
    unset = ["2147483647", "", "", "", "1.7976931348623157e+308", "?", "", "", "", "", "", ""]
    assert read_contract(FieldReader(unset), 157) == AskedContract()


def test_accounts_are_numbered_and_again_the_same() -> None:
    side = make_side()
    first, second = side.add_account("main"), side.add_account("other")
    assert (first.account_id, first.account, second.account_id) == ("DU1000001", "main-ib", "DU1000002")
    assert side.add_account("main") == first
    assert side.account_of("other-ib") == second
    assert side.account_of("main") is None


def test_order_ids_only_rise_until_they_are_lowered() -> None:
    side = make_side()
    assert side.next_order_id(1) == 1
    for used in (5, 3):
        side.note_order_id(1, used)
    assert (side.next_order_id(1), side.next_order_id(2)) == (6, 1)
    side.lower_order_ids(2)
    assert side.next_order_id(1) == 4
    side.lower_order_ids(100)
    assert side.next_order_id(1) == 1


def test_permanent_ids_of_a_later_run_are_higher() -> None:
    first, later = make_side(), make_side(now_ns=NOW_NS + 1_000_000_000)
    assert first.next_perm_id() < first.next_perm_id() < later.next_perm_id() < 2**31


def test_a_market_keeps_its_hours_unless_it_is_always_open() -> None:
    side = make_side(always_open=False)
    share = the(side, "AAPL.NASDAQ")
    assert not side.is_open(share, NOW_NS)
    assert side.is_open(share, MONDAY_NS)
    assert make_side().is_open(share, NOW_NS)
    future = the(side, "ESZ6.CME")
    assert not make_side().is_open(future, future.instrument.expiry_ns)
    assert side.zone_of(future) == ZoneInfo("America/Chicago")


def test_hours_of_a_contract_that_never_closes() -> None:
    text = hours_text(the(make_side(), "AAPL.NASDAQ"), NOW_NS, is_liquid=True, always_open=True)
    assert text.startswith("20261127:0000-20261128:0000;20261128:0000-")


def test_money_in_euros_is_worth_the_same_before_and_after_the_first_trade_at_its_opening_price() -> None:
    side = make_side()
    side.venue.execute(OpenAccount(NOW_NS, side.add_account("main").account))
    books = AccountBooks(side)
    before = books.rate("EUR")
    side.venue.execute(SetMarkPrice(NOW_NS, "EURUSD.IDEALPRO", 22_000))
    assert before == books.rate("EUR") == Decimal("1.1")


def test_a_link_tells_each_change_once_and_forgets_data_before_1101() -> None:
    side, said = make_side(), list[int]()
    client = IbClient(1, NOW_NS, send=lambda _data: None, push=lambda _data, _key: None, close=lambda: None)
    link = Connectivity(side, lambda: (client,), lambda _client, code, _text: said.append(code), lambda: said.append(0))
    link.set_upstream(is_up=True)
    link.set_farm("usfarm", is_up=True)
    assert said == []
    link.set_farm("usfarm", is_up=False)
    assert not side.tells_data
    link.set_upstream(is_up=False, code=1101)
    link.set_upstream(is_up=False)
    link.set_farm("usfarm", is_up=True)  # nobody is told while the link is lost
    assert not side.tells_data
    link.set_upstream(is_up=True, code=1101)
    assert said == [2103, 1100, 0, 1101]
    assert side.tells_data
