"""The file of `--replay`: what kind it is, which instrument it is of, and that instrument as the venue must list it."""

import gzip
import re
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path

import msgspec

from foxtrot.app.exchange_feed import Recording
from foxtrot.app.verbs.history_arguments import UNNAMED_VENUE, HistoryFile, instrument_id_of
from foxtrot.backtest.columns import BarColumns
from foxtrot.backtest.depth_capture import DepthCapture, read_depth
from foxtrot.backtest.input_file import read_input
from foxtrot.backtest.read_bars import read_bars
from foxtrot.backtest.read_ticks import read_ticks
from foxtrot.domain.enums import Product
from foxtrot.domain.errors import ConfigError, InputError
from foxtrot.domain.instrument import Grid, Instrument, PriceBand

VENUES = {"BINANCE": Product.SPOT, "BINANCE_USDM": Product.PERPETUAL}
QUOTE_ASSETS = ("USDT", "USDC", "FDUSD", "TUSD", "BUSD", "BTC", "ETH", "BNB", "EUR", "TRY")
_CAPTURE = re.compile(rb"\d{10,19} [{\[]")
_BAR_NAMES = re.compile(rb"\b(open|high|low|close)\b", re.IGNORECASE)
_KLINE_COLUMNS = 12


def read_recording(file: HistoryFile, listed: Mapping[str, Instrument]) -> tuple[Recording, Instrument]:
    """Read a file and return it with its instrument.

    A replayed instrument has the file's steps where these are finer, and neither a least order value nor a most number of open
    orders: every recorded level must be able to rest.

    Blocks: for the disk.

    Raises:
        ConfigError: the file cannot be used, or is of an instrument that the exchange does not serve.
    """
    name = _instrument_id(file, listed)
    recording = _read(file, name)
    if not len(recording):
        raise InputError(f"{file.path} holds nothing to replay")
    if isinstance(recording, DepthCapture) and recording.symbol != recording.instrument_id.partition(".")[0]:
        raise InputError(f"{file.path} is a capture of {recording.symbol}, not of {name}; leave the symbol out")
    venue = recording.instrument_id.partition(".")[2]
    if venue not in VENUES:
        raise ConfigError(
            f"--replay {recording.instrument_id}: the venue after the dot must be {' or '.join(VENUES)}, such as "
            f"BTCUSDT.BINANCE={file.path}"
        )
    base = listed.get(recording.instrument_id)
    if base is None:
        base = _unlisted(recording.instrument_id)
    elif isinstance(recording, BarColumns):
        return recording, _fitted(
            base, recording.price_decimals, 0
        )  # volumes are split up, so that they need no step of their own
    return recording, _fitted(base, recording.price_decimals, recording.quantity_decimals)


def _read(file: HistoryFile, name: str) -> Recording:
    if _is_capture(file.path):
        return read_depth(file.path, instrument_id=name if file.symbol else "")
    if file.path.suffix.lower() == ".parquet":
        return read_bars(file.path, name)
    text = read_input(file.path)
    first = text.data.partition(b"\n")[0]
    is_bars = text.format != "csv" or len(set(map(bytes.lower, _BAR_NAMES.findall(first)))) == 4
    if is_bars or (first.count(b",") + 1 == _KLINE_COLUMNS and first[:1].isdigit()):
        return read_bars(file.path, name)
    return read_ticks(file.path, name)


def _instrument_id(file: HistoryFile, listed: Mapping[str, Instrument]) -> str:
    found = instrument_id_of(file, tuple(listed)) if len(listed) != 1 else instrument_id_of(file, ())
    symbol, _, venue = found.partition(".")
    return f"{symbol.upper()}.BINANCE" if venue == UNNAMED_VENUE else found


def _is_capture(path: Path) -> bool:
    try:
        with path.open("rb") as plain:
            start = plain.read(64)
        if start[:2] == b"\x1f\x8b":
            with gzip.open(path) as unpacked:
                start = unpacked.read(64)
    except FileNotFoundError:
        raise InputError(f"{path} does not exist; check the path") from None
    except (OSError, EOFError) as error:
        raise InputError(f"{path} cannot be read: {error}") from None
    return bool(_CAPTURE.match(start))


def _unlisted(instrument_id: str) -> Instrument:
    symbol, _, venue = instrument_id.partition(".")
    quote = next((asset for asset in QUOTE_ASSETS if symbol.endswith(asset) and symbol != asset), "USDT")
    coarse = Grid.of(1)
    spot = Instrument(
        instrument_id=instrument_id, symbol=symbol, venue=venue, product=Product.SPOT,
        base_asset=symbol.removesuffix(quote), quote_asset=quote, settle_asset=quote, price_grid=coarse,
        quantity_grid=coarse,
    )  # fmt: skip
    if VENUES[venue] is Product.SPOT:
        return spot
    return msgspec.structs.replace(
        spot, product=Product.PERPETUAL, initial_margin_rate=Decimal("0.05"), maintenance_margin_rate=Decimal("0.025"),
        funding_interval_s=8 * 3600,
    )  # fmt: skip


def _fitted(base: Instrument, price_decimals: int, quantity_decimals: int) -> Instrument:
    price, quantity = Decimal(1).scaleb(-price_decimals), Decimal(1).scaleb(-quantity_decimals)
    fine_price = price % base.price_grid.step != 0
    lot = base.quantity_grid.step * base.lot_units
    if quantity % lot:
        fine = quantity if quantity % base.quantity_grid.step else base.quantity_grid.step
        lot_units = int(quantity / fine)
        base = msgspec.structs.replace(base, quantity_grid=Grid.of(fine), lot_units=lot_units)
    return msgspec.structs.replace(
        base,
        price_grid=Grid.of(price) if fine_price else base.price_grid,
        price_bands=(PriceBand(0, 1),) if fine_price else base.price_bands,
        min_quantity_units=base.lot_units,
        max_quantity_units=0,
        min_notional=Decimal(0),
        max_notional=Decimal(0),
        max_open_orders=0,
        price_limit_rate=Decimal(0),
    )
