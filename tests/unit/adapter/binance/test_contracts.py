"""What Binance lists becomes instruments exactly, and what cannot be one is left out with a line."""

import gzip
import json
from decimal import Decimal
from pathlib import Path

import pytest
from loguru import logger

from foxtrot.adapter.binance.contract_codec import MarketLot, listing
from foxtrot.adapter.binance.contracts import LOOK_AGAIN_S, Contracts
from foxtrot.domain.enums import Product
from foxtrot.domain.errors import BadMessage, VenueRejected
from foxtrot.domain.instrument import Grid, Instrument
from tests.support.scripted_binance import ScriptedSession, run

SPOT_ROW: dict[str, object] = {
    "symbol": "BTCUSDT", "status": "TRADING", "baseAsset": "BTC", "quoteAsset": "USDT", "isSpotTradingAllowed": True,
    "filters": [
        {"filterType": "PRICE_FILTER", "minPrice": "0.01000000", "maxPrice": "1000000.00000000", "tickSize": "0.01000000"},
        {"filterType": "LOT_SIZE", "minQty": "0.00001000", "maxQty": "9000.00000000", "stepSize": "0.00001000"},
        {"filterType": "ICEBERG_PARTS", "limit": 10},
        {"filterType": "MARKET_LOT_SIZE", "minQty": "0.00000000", "maxQty": "100.00000000", "stepSize": "0.00000000"},
        {"filterType": "NOTIONAL", "minNotional": "5.00000000", "applyMinToMarket": True, "maxNotional": "9000000.00000000"},
        {"filterType": "MAX_NUM_ORDERS", "maxNumOrders": 200},
    ],
}  # fmt: skip
USDM_ROW: dict[str, object] = {
    "symbol": "BTCUSDT", "pair": "BTCUSDT", "contractType": "PERPETUAL", "status": "TRADING", "baseAsset": "BTC",
    "quoteAsset": "USDT", "marginAsset": "USDT", "maintMarginPercent": "2.5000", "requiredMarginPercent": "5.0000",
    "filters": [
        {"filterType": "PRICE_FILTER", "minPrice": "556.80", "maxPrice": "4529764", "tickSize": "0.10"},
        {"filterType": "LOT_SIZE", "minQty": "0.001", "maxQty": "1000", "stepSize": "0.001"},
        {"filterType": "MARKET_LOT_SIZE", "minQty": "0.001", "maxQty": "120", "stepSize": "0.001"},
        {"filterType": "MAX_NUM_ORDERS", "limit": 200},
        {"filterType": "MIN_NOTIONAL", "notional": "100"},
        {"filterType": "PERCENT_PRICE", "multiplierUp": "1.0500", "multiplierDown": "0.9500", "multiplierDecimal": "4"},
    ],
}  # fmt: skip


def test_a_spot_pair_counts_in_1e8_with_its_step_as_lot() -> None:
    found = listing({"symbols": [SPOT_ROW]}, Product.SPOT, {})
    assert found.instruments == (
        Instrument(
            instrument_id="BTCUSDT.BINANCE",
            symbol="BTCUSDT",
            venue="BINANCE",
            product=Product.SPOT,
            base_asset="BTC",
            quote_asset="USDT",
            settle_asset="USDT",
            price_grid=Grid.of("0.01"),
            quantity_grid=Grid.of("0.00000001"),
            lot_units=1_000,
            min_quantity_units=1_000,
            max_quantity_units=900_000_000_000,
            min_notional=Decimal(5),
            max_notional=Decimal(9_000_000),
            max_open_orders=200,
        ),
    )
    assert found.market_lots == {"BTCUSDT.BINANCE": MarketLot(0, 10_000_000_000, 1_000)}
    assert found.skipped == ()


def test_a_contract_counts_in_its_step_with_margins_and_funding() -> None:
    found = listing({"symbols": [USDM_ROW]}, Product.PERPETUAL, {"BTCUSDT": 4})
    assert found.instruments == (
        Instrument(
            instrument_id="BTCUSDT.BINANCE_USDM",
            symbol="BTCUSDT",
            venue="BINANCE_USDM",
            product=Product.PERPETUAL,
            base_asset="BTC",
            quote_asset="USDT",
            settle_asset="USDT",
            price_grid=Grid.of("0.1"),
            quantity_grid=Grid.of("0.001"),
            min_quantity_units=1,
            max_quantity_units=1_000_000,
            min_notional=Decimal(100),
            max_open_orders=200,
            price_limit_rate=Decimal("0.05"),
            initial_margin_rate=Decimal("0.05"),
            maintenance_margin_rate=Decimal("0.025"),
            funding_interval_s=14_400,
        ),
    )
    assert found.market_lots == {"BTCUSDT.BINANCE_USDM": MarketLot(1, 120_000, 1)}


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"status": "BREAK"}, "BREAK"),
        ({"status": "HALT"}, "HALT"),
        ({"status": "END_OF_DAY", "isSpotTradingAllowed": False}, "END_OF_DAY"),
        ({"isSpotTradingAllowed": False}, "no spot trading"),
    ],
)
def test_a_pair_that_does_not_trade_now_is_listed_as_halted(changes: dict[str, object], why: str) -> None:
    found = listing({"symbols": [{**SPOT_ROW, **changes}]}, Product.SPOT, {})
    assert found.instruments == listing({"symbols": [SPOT_ROW]}, Product.SPOT, {}).instruments
    assert found.halted == {"BTCUSDT.BINANCE": why}


@pytest.mark.parametrize("status", ["SETTLING", "CLOSE", "PENDING_TRADING", "BREAK"])
def test_a_contract_that_does_not_trade_now_is_listed_as_halted_and_one_with_an_end_is_not_listed(status: str) -> None:
    rows = [{**USDM_ROW, "status": status}, {**USDM_ROW, "symbol": "BTCUSDT_261225", "contractType": "CURRENT_QUARTER"}]
    found = listing({"symbols": rows}, Product.PERPETUAL, {})
    assert [instrument.symbol for instrument in found.instruments] == ["BTCUSDT"]
    assert found.halted == {"BTCUSDT.BINANCE_USDM": status}
    assert found.skipped == ()


@pytest.mark.parametrize(
    "broken",
    [
        {"filters": []},
        {"filters": "none"},
        {"filters": [{"filterType": "PRICE_FILTER", "tickSize": "0"}, {"filterType": "LOT_SIZE", "stepSize": "1"}]},
        {"filters": [{"filterType": "PRICE_FILTER", "tickSize": "NaN"}, {"filterType": "LOT_SIZE", "stepSize": "1"}]},
        {"filters": [{"filterType": "PRICE_FILTER", "tickSize": "1"}, {"filterType": "LOT_SIZE", "stepSize": "1e-9"}]},
        {"baseAsset": 7},
    ],
)
def test_what_cannot_be_represented_is_left_out_and_the_rest_stays(broken: dict[str, object]) -> None:
    rows = [{**SPOT_ROW, "symbol": "ODDUSDT", **broken}, SPOT_ROW]
    found = listing({"symbols": rows}, Product.SPOT, {})
    assert [instrument.symbol for instrument in found.instruments] == ["BTCUSDT"]
    assert len(found.skipped) == 1


@pytest.mark.parametrize("info", [None, [], {}, {"symbols": {}}])
def test_what_is_no_exchange_information_is_a_bad_message(info: object) -> None:
    with pytest.raises(BadMessage):
        listing(info, Product.SPOT, {})


def test_loading_asks_for_contracts_and_funding_and_says_in_one_line_what_it_skips() -> None:
    session = ScriptedSession(Product.PERPETUAL)
    broken = [{**USDM_ROW, "symbol": f"ODD{n}", "filters": []} for n in range(9)]
    session.reply("fapiPublicGetExchangeInfo", {"symbols": [USDM_ROW, *broken]})
    session.reply("fapiPublicGetFundingInfo", [{"symbol": "BTCUSDT", "fundingIntervalHours": 1}])
    contracts = Contracts(session.adapter, session)  # type: ignore[arg-type]
    lines: list[str] = []
    sink = logger.add(lines.append, format="{message}", level="WARNING")
    loaded: list[Instrument] = []

    async def story() -> None:
        loaded.extend(await contracts.load())

    try:
        run(story)
    finally:
        logger.remove(sink)
    assert [instrument.funding_interval_s for instrument in loaded] == [3_600]
    assert set(contracts.market_lots) == {"BTCUSDT.BINANCE_USDM"}
    assert len(lines) == 1
    assert "skips 9 symbols" in lines[0]


def test_without_funding_information_it_is_taken_as_every_eight_hours() -> None:
    session = ScriptedSession(Product.PERPETUAL)
    session.reply("fapiPublicGetExchangeInfo", {"symbols": [USDM_ROW]})
    session.reply("fapiPublicGetFundingInfo", VenueRejected("binance", "-1121", "no"))
    loaded: list[Instrument] = []

    async def story() -> None:
        loaded.extend(await Contracts(session.adapter, session).load())  # type: ignore[arg-type]

    run(story)
    assert [instrument.funding_interval_s for instrument in loaded] == [28_800]


def test_a_recorded_list_of_contracts_is_read_whole(data_dir: Path) -> None:
    path = data_dir / "exchange_captures" / "BINANCE_FUTURES.0.gz"
    if not path.exists():
        pytest.skip(f"no {path}")
    with gzip.open(path, "rt") as lines:
        text = next(line for line in lines if " -> " in line and "exchangeInfo" in line)
    info = json.loads(text[text.index("{") :])
    found = listing(info, Product.PERPETUAL, {})
    perpetual = [row for row in info["symbols"] if row["contractType"] == "PERPETUAL"]
    assert found.skipped == ()
    assert [instrument.symbol for instrument in found.instruments] == [row["symbol"] for row in perpetual]
    halted = [f"{row['symbol']}.BINANCE_USDM" for row in perpetual if row["status"] != "TRADING"]
    assert sorted(found.halted) == sorted(halted)


@pytest.mark.parametrize(("product", "row"), [(Product.SPOT, SPOT_ROW), (Product.PERPETUAL, USDM_ROW)])
def test_what_is_halted_is_looked_at_again_now_and_then_until_it_trades(
    product: Product, row: dict[str, object]
) -> None:
    session = ScriptedSession(product)
    endpoint = "publicGetExchangeInfo" if product is Product.SPOT else "fapiPublicGetExchangeInfo"
    break_row = {**row, "status": "BREAK"}
    session.reply(endpoint, {"symbols": [break_row]}, {"symbols": [break_row]}, {"symbols": [row]})
    session.reply("fapiPublicGetFundingInfo", [])
    contracts = Contracts(session.adapter, session)  # type: ignore[arg-type]
    seen: list[tuple[int, dict[str, str]]] = []

    async def story() -> None:
        (instrument,) = await contracts.load()
        assert session.instruments == {instrument.instrument_id: instrument}
        for wait_s in (0.0, LOOK_AGAIN_S - 1, 1.0):
            session.clock.advance(int(wait_s * 1e9))
            await contracts.look_again(instrument)
            seen.append((len(session.asked(endpoint)), dict(session.halted)))

    run(story)
    name = next(iter(session.instruments))
    assert seen == [(2, {name: "BREAK"}), (2, {name: "BREAK"}), (3, {})]
    assert session.asked(endpoint)[1] == ({"symbol": "BTCUSDT"} if product is Product.SPOT else {})
