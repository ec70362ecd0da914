"""What needs no subscription: static information, snapshots, trading days; and the tables behind the quote side."""

from decimal import Decimal
from importlib.util import find_spec
from typing import Any

import msgspec
import pytest

from foxtrot.domain.enums import OrderType, Side
from foxtrot.domain.errors import ConfigError
from foxtrot.domain.instrument import Grid
from foxtrot.exchange.commands import AddInstrument, Deposit, PlaceOrder
from foxtrot.exchange.listings import listing
from foxtrot.exchange.wire.futu.message_types import messages
from foxtrot.exchange.wire.futu.quote_limits import FIGURES, TEXTS, QuoteSettings
from foxtrot.exchange.wire.futu.quote_types import KLINES, NAMES
from foxtrot.exchange.wire.futu.refusal import FutuRefused
from tests.support.futu_quote_rig import APPLE, TENCENT, QuoteClient, QuoteRig, at, securities

pytestmark = pytest.mark.skipif(find_spec("futu") is None, reason="futu-api is not installed: foxtrot[futu] has it")


@pytest.fixture
def client() -> QuoteClient:
    return QuoteRig().open()


def refusal(client: QuoteClient, proto_id: int, **fields: Any) -> str:
    with pytest.raises(FutuRefused) as caught:
        client.ask(proto_id, **fields)
    return caught.value.message


def test_static_information_is_by_market_and_type_or_by_code(client: QuoteClient) -> None:
    [hk] = client.ask(3202, market=1, secType=3).staticInfoList
    assert (hk.basic.security.code, hk.basic.lotSize, hk.basic.name, hk.basic.listTime, hk.basic.exchType) == (
        "00700", 100, "TENCENT", "2004-06-16", 1,
    )  # fmt: skip
    [us] = client.ask(3202, market=11, secType=3).staticInfoList
    assert (us.basic.security.code, us.basic.lotSize, us.basic.exchType, us.basic.secType) == ("AAPL", 1, 5, 3)
    assert not client.ask(3202, market=11, secType=4).staticInfoList
    named = client.ask(3202, market=0, secType=0, securityList=securities(APPLE, TENCENT)).staticInfoList
    assert [row.basic.security.code for row in named] == ["AAPL", "00700"]
    assert len({row.basic.id for row in named}) == 2


def test_an_unknown_code_has_a_row_that_says_so_in_static_information_alone(client: QuoteClient) -> None:
    rows = client.ask(3202, securityList=securities((11, "NONE"), TENCENT, (1, "BTCUSDT"))).staticInfoList
    assert [(row.basic.security.code, row.basic.name, row.basic.delisting, row.basic.lotSize) for row in rows] == [
        ("NONE", "Unknown stock", True, 0), ("00700", "TENCENT", False, 100), ("BTCUSDT", "Unknown stock", True, 0),
    ]  # fmt: skip


def test_unknown_codes_and_markets_are_refused(client: QuoteClient) -> None:
    assert refusal(client, 3202, market=31, secType=3) == (
        "Market 31 has no data here; there are 1 HK, 11 US, 21 SH, 22 SZ"
    )
    assert refusal(client, 3203, securityList=securities((1, "AAPL"))) == "Unknown stock AAPL"


def test_a_stock_that_is_listed_later_is_there_at_once_with_its_code_as_name() -> None:
    rig = QuoteRig()
    client = rig.open()
    known = listing("00700.SEHK")
    new = msgspec.structs.replace(known, instrument_id="00005.SEHK", symbol="00005", base_asset="00005", lot_units=400)
    rig.do(AddInstrument(rig.now_ns, new))
    rows = client.ask(3202, market=1, secType=3).staticInfoList
    assert [(row.basic.name, row.basic.lotSize, row.basic.listTime) for row in rows] == [
        ("TENCENT", 100, "2004-06-16"),
        ("00005", 400, ""),
    ]
    assert not rows[1].basic.HasField("listTimestamp")


def test_a_snapshot_has_the_best_prices_and_the_day() -> None:
    rig = QuoteRig()
    rig.trade(TENCENT, 402.0, 300)
    rig.trade(TENCENT, 401.0, 100)
    rig.order(TENCENT, Side.BUY, 400.8, 500)
    rig.order(TENCENT, Side.SELL, 401.2, 700)
    [row] = rig.open().ask(3203, securityList=securities(TENCENT)).snapshotList
    basic = row.basic
    assert (basic.bidPrice, basic.bidVol, basic.askPrice, basic.askVol) == (400.8, 500, 401.2, 700)
    assert (basic.curPrice, basic.openPrice, basic.highPrice, basic.lowPrice) == (401.0, 402.0, 402.0, 401.0)
    assert (basic.lastClosePrice, basic.volume, basic.turnover, basic.avgPrice) == (400.0, 400, 160_700.0, 401.75)
    assert basic.amplitude == 0.25
    assert basic.lotSize == 100


def test_a_snapshot_of_an_empty_book_has_no_best_prices(client: QuoteClient) -> None:
    [row] = client.ask(3203, securityList=securities(TENCENT)).snapshotList
    assert (row.basic.bidPrice, row.basic.askPrice, row.basic.updateTime) == (0.0, 0.0, "")


@pytest.mark.parametrize(
    ("proto_id", "figure"), [(3202, "static_calls"), (3203, "snapshot_calls"), (3219, "trade_date_calls")]
)
def test_calls_are_limited_in_thirty_seconds_for_all_connections_together(proto_id: int, figure: str) -> None:
    rig = QuoteRig()
    fields: dict[int, dict[str, Any]] = {
        3202: {"market": 1, "secType": 3},
        3203: {"securityList": securities(TENCENT)},
        3219: {"market": 1, "beginTime": "2026-03-10", "endTime": "2026-03-10"},
    }
    most = FIGURES[figure].value
    for _ in range(most):
        rig.open().ask(proto_id, **fields[proto_id])
    assert (
        refusal(rig.open(), proto_id, **fields[proto_id])
        == f"Request with high frequency: at most {most} times in 30 seconds"
    )
    rig.wait(30)
    rig.open().ask(proto_id, **fields[proto_id])
    free = QuoteRig(limits=False).open()
    for _ in range(most + 1):
        free.ask(proto_id, **fields[proto_id])


def test_a_snapshot_is_of_at_most_four_hundred(client: QuoteClient) -> None:
    assert refusal(client, 3203, securityList=securities(*[TENCENT] * 401)) == (
        "number of securities is 401; it must be 1 to 400"
    )
    assert len(client.ask(3203, securityList=securities(*[TENCENT] * 400)).snapshotList) == 400


def test_trading_days_are_the_calendar_s_with_both_ends(client: QuoteClient) -> None:
    rows = client.ask(3219, market=1, beginTime="2026-02-13", endTime="2026-02-23").tradeDateList
    assert [(row.time, row.tradeDateType) for row in rows] == [
        ("2026-02-13", 0), ("2026-02-16", 1), ("2026-02-20", 0), ("2026-02-23", 0),
    ]  # fmt: skip
    assert rows[0].timestamp == at(TENCENT, "2026-02-13 00:00:00") / 1e9
    us = client.ask(3219, market=2, beginTime="2025-11-26", endTime="2025-12-01").tradeDateList
    assert [(row.time, row.tradeDateType) for row in us] == [("2025-11-26", 0), ("2025-11-28", 1), ("2025-12-01", 0)]


def test_a_security_counts_before_the_market(client: QuoteClient) -> None:
    asked = {"market": 0, "beginTime": "2025-11-27", "endTime": "2025-11-27"}
    assert not client.ask(3219, security=securities(APPLE)[0], **asked).tradeDateList
    assert len(client.ask(3219, security=securities(TENCENT)[0], **asked).tradeDateList) == 1
    assert refusal(client, 3219, **(asked | {"market": 8})) == (
        "Market 8 has no data here; there are 1 HK, 2 US, 3 and 4 the mainland"
    )


def test_days_beyond_the_calendar_are_left_out(client: QuoteClient) -> None:
    rows = client.ask(3219, market=1, beginTime="2031-12-30", endTime="2099-01-01").tradeDateList
    assert [row.time for row in rows] == ["2031-12-30", "2031-12-31"]
    assert not client.ask(3219, market=1, beginTime="2026-03-10", endTime="2026-03-09").tradeDateList


def test_sizes_that_are_not_whole_stand_in_the_twin_field_as_well() -> None:
    rig = QuoteRig()
    known = listing("AAPL.NASDAQ")
    parts = msgspec.structs.replace(
        known,
        instrument_id="FRAC.NASDAQ",
        symbol="FRAC",
        base_asset="FRAC",
        quantity_grid=Grid.of("0.1"),
        min_quantity_units=1,
    )
    rig.do(AddInstrument(rig.now_ns, parts))
    client = rig.open()
    rig.do(Deposit(rig.now_ns, "bob", "FRAC", Decimal(1000)))
    for quantity, price in ((25, 2_000_000), (20, 2_000_100)):
        rig.do(PlaceOrder(rig.now_ns, "bob", "FRAC.NASDAQ", f"o{price}", Side.SELL, OrderType.LIMIT, quantity, price))
    [told] = client.subscribe([(11, "FRAC")], [2])
    half, whole = told.s2c.orderBookAskList
    assert (half.volume, half.hpVolume, whole.volume, whole.HasField("hpVolume")) == (2, 2.5, 2, False)


def test_the_tables_are_those_of_the_sdk_s_enumerations() -> None:
    common = messages("Qot_Common")
    for number, name in NAMES.items():
        assert common.SubType.Name(number) == f"SubType_{name}"
    for number, kind in KLINES.items():
        expected = {"KL_Qurater": "Quarter"}.get(kind.name, kind.name.removeprefix("KL_"))
        assert common.KLType.Name(number) == f"KLType_{expected}"
        assert common.SubType.Name(kind.sub_type) == f"SubType_{kind.name}"


def test_every_figure_and_text_names_where_it_is_from() -> None:
    sources = [one.source for one in (*FIGURES.values(), *TEXTS.values())]
    assert all(source.split()[0] in ("DOC", "SEEN", "OWN", "seen") for source in sources)


def test_quote_rights_that_do_not_exist_are_refused_by_name() -> None:
    with pytest.raises(
        ConfigError, match="quote right 'SF' of market 1 does not exist; there are 1: LV1, 1: LV2, 11: LV1"
    ):
        QuoteSettings(rights={1: "SF"})
