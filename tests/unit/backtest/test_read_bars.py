"""Bars from files and frames: every accepted layout gives the same bars, every fault is one line with place and fix."""

import gzip
import json
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from foxtrot.backtest.read_bars import bars_from_frame, read_bars
from foxtrot.domain.errors import InputError

HEADER = "open_time_ms,open,high,low,close,volume\n"
FIRST_MS = 1_747_699_200_000
ROWS = [
    (FIRST_MS, "100.50", "101.00", "100.25", "100.75", "1.5"),
    (FIRST_MS + 60_000, "100.75", "102.00", "100.75", "101.50", "0.125"),
    (FIRST_MS + 120_000, "101.50", "101.50", "99.00", "99.50", "0"),
]
ISO = ("2025-05-20 00:00:00", "2025-05-20 00:01:00", "2025-05-20 00:02:00")


def body(rows: Sequence[tuple[object, ...]] = ROWS) -> str:
    return "".join(",".join(map(str, row)) + "\n" for row in rows)


def written(folder: Path, text: str | bytes, name: str = "bars.csv") -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


def with_times(times: tuple[object, ...]) -> str:
    return body([(time, *row[1:]) for time, row in zip(times, ROWS, strict=True)])


def test_a_plain_file_gives_its_columns_its_interval_and_its_decimal_steps(tmp_path: Path) -> None:
    bars = read_bars(written(tmp_path, HEADER + body()), "BTCUSDT.BINANCE")
    assert bars.instrument_id == "BTCUSDT.BINANCE"
    assert bars.interval == "1m"
    assert bars.open_time_ns.tolist() == [row[0] * 10**6 for row in ROWS]
    assert (bars.close_time_ns - bars.open_time_ns).tolist() == [60 * 10**9] * 3
    assert bars.open.tolist() == [100.5, 100.75, 101.5]
    assert bars.high.tolist() == [101.0, 102.0, 101.5]
    assert bars.low.tolist() == [100.25, 100.75, 99.0]
    assert bars.close.tolist() == [100.75, 101.5, 99.5]
    assert bars.volume.tolist() == [1.5, 0.125, 0.0]
    assert (bars.price_decimals, bars.quantity_decimals, bars.warnings) == (2, 3, ())


KLINE_REST = f"{FIRST_MS + 59_999},1000,10,0.5,50,0"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("bars.csv", "Date,O,H,L,C,Vol\n" + with_times(ISO)),
        ("bars.csv", "datetime;Open;High;Low;Close;V\n" + with_times(ISO).replace(",", ";")),
        ("bars.csv", HEADER.replace("open_time_ms", "timestamp") + with_times(tuple(f"{t}+00:00" for t in ISO))),
        (
            "bars.csv",
            HEADER.replace("open_time_ms", "time") + with_times(tuple(f"{t.replace(' ', 'T')}Z" for t in ISO)),
        ),
        ("bars.csv", HEADER + with_times(tuple(f"2025-05-20T05:3{n}:00+05:30" for n in range(3)))),
        ("bars.csv", HEADER + with_times(tuple(f"2025-05-19 20:0{n}:00-04:00" for n in range(3)))),
        ("bars.csv", HEADER + with_times(tuple(f"20250520 00:0{n}" for n in range(3)))),
        ("bars.csv", HEADER + with_times(tuple(f"2025-05-20T00:0{n}:00+0000" for n in range(3)))),
        ("bars.csv", HEADER + with_times(tuple(row[0] // 1000 for row in ROWS))),
        ("bars.csv", HEADER + with_times(tuple(f"{row[0] // 1000}.0" for row in ROWS))),
        ("bars.csv", HEADER + with_times(tuple(row[0] * 1000 for row in ROWS))),
        ("bars.csv", HEADER + with_times((FIRST_MS, (FIRST_MS + 60_000) * 1000, (FIRST_MS + 120_000) * 10**6))),
        ("bars.csv", "," + HEADER.partition(",")[2].title() + with_times(ISO)),
        ("bars.csv", ("\ufeff" + HEADER + body()).replace("\n", "\r\n").removesuffix("\r\n")),
        ("bars.csv", (HEADER + body()).replace("\n", "\n\n")),
        ("bars.csv", (HEADER + body()).replace(",", " , ")),
        ("bars.csv", HEADER + body().replace("100.50", '"100.50"').replace("1.5\n", '"1.5"\n')),
        ("bars.csv", HEADER + body().replace("100.50", "1005e-1")),
        ("bars.csv", body()),
        ("bars.csv", "".join(f"{line},{KLINE_REST}\n" for line in body().splitlines())),
        ("bars.json", json.dumps([[row[0], *map(float, row[1:])] for row in ROWS])),
        ("bars.json", json.dumps([[*row, FIRST_MS, "1", 5, "1", "2", "0"] for row in ROWS])),
    ],
)
def test_every_accepted_layout_gives_the_same_bars(tmp_path: Path, name: str, text: str) -> None:
    expected = read_bars(written(tmp_path, HEADER + body(), "expected.csv"))
    bars = read_bars(written(tmp_path, text, name))
    for column in ("open_time_ns", "close_time_ns", "open", "high", "low", "close", "volume"):
        assert getattr(bars, column).tolist() == getattr(expected, column).tolist(), column
    assert (bars.interval, bars.price_decimals, bars.quantity_decimals) == ("1m", 2, 3)


def test_gzip_and_zip_give_the_same_bars_as_the_plain_file(tmp_path: Path) -> None:
    text = HEADER + body()
    packed = written(tmp_path, gzip.compress(text.encode()), "bars.csv.gz")
    archive = tmp_path / "bars.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("folder/bars.CSV", text)
    assert read_bars(packed).close.tolist() == read_bars(archive).close.tolist() == [100.75, 101.5, 99.5]


def test_an_absent_volume_is_zero_and_said_so(tmp_path: Path) -> None:
    text = "time,open,high,low,close\n" + "".join(line.rpartition(",")[0] + "\n" for line in body().splitlines())
    bars = read_bars(written(tmp_path, text))
    assert bars.volume.tolist() == [0.0, 0.0, 0.0]
    assert bars.warnings == ("no volume column: volume is 0",)


def test_extra_columns_are_ignored_and_named_once(tmp_path: Path) -> None:
    text = "id," + HEADER.strip() + ",Adj Close\n" + "".join(f"x,{line},\n" for line in body().splitlines())
    assert read_bars(written(tmp_path, text)).warnings == ("columns ignored: id, Adj Close",)


def test_newest_first_is_reversed_with_a_warning(tmp_path: Path) -> None:
    bars = read_bars(written(tmp_path, HEADER + body(ROWS[::-1])))
    assert bars.close.tolist() == [100.75, 101.5, 99.5]
    assert bars.close.flags.c_contiguous
    assert bars.warnings == ("rows are newest first: reversed",)


def test_the_interval_is_the_most_common_step_and_a_shorter_one_ends_its_bar_early(tmp_path: Path) -> None:
    seconds = (0, 60, 120, 150, 210, 400)
    rows: list[tuple[object, ...]] = [(FIRST_MS + 1000 * s, *ROWS[0][1:]) for s in seconds]
    bars = read_bars(written(tmp_path, HEADER + body(rows)))
    assert bars.interval == "1m"
    assert ((bars.close_time_ns - bars.open_time_ns) // 10**9).tolist() == [60, 60, 30, 60, 60, 60]
    assert bars.warnings == (
        "1 steps are longer than 1m: no bars are made up for them",
        "1 steps are shorter than 1m: those bars close when the next one opens",
    )


@pytest.mark.parametrize(
    ("step_s", "text"), [(1, "1s"), (90, "90s"), (300, "5m"), (14_400, "4h"), (86_400, "1d"), (604_800, "1w")]
)
def test_the_interval_is_written_in_its_largest_whole_unit(tmp_path: Path, step_s: int, text: str) -> None:
    rows: list[tuple[object, ...]] = [(FIRST_MS + 1000 * step_s * n, *ROWS[0][1:]) for n in range(3)]
    assert read_bars(written(tmp_path, HEADER + body(rows))).interval == text


def test_decimals_are_those_of_the_text_without_padding_and_without_binary_noise(tmp_path: Path) -> None:
    rows: list[tuple[object, ...]] = [
        (FIRST_MS, "0.30000000", "0.30000000", "0.20000000", "0.25000000", "0.00031099999999999997"),
        (FIRST_MS + 1000, "0.1", "0.30000000000000004", "0.1", "0.1", "123456.7"),
    ]
    bars = read_bars(written(tmp_path, HEADER + body(rows)))
    assert (bars.price_decimals, bars.quantity_decimals) == (2, 6)
    assert bars.high.tolist() == [0.3, 0.3]
    assert bars.volume.tolist() == [0.000311, 123456.7]


def test_prices_with_endless_digits_are_rounded_to_what_a_float_tells_for_sure() -> None:
    price = np.random.default_rng(1).random(50) + 100
    frame = pd.DataFrame({"o": price, "h": price, "l": price, "c": price})
    frame.index = pd.date_range("2025-05-20", periods=50, freq="h", tz="UTC")
    bars = bars_from_frame(frame)
    assert bars.price_decimals <= 13
    assert np.abs(bars.close - price).max() < 1e-12


def test_single_precision_prices_keep_their_short_texts() -> None:
    frame = pd.DataFrame(
        {"time": pd.to_datetime(list(ISO))} | dict.fromkeys("ohlc", np.array([0.1, 0.2, 0.35], dtype=np.float32))
    )
    bars = bars_from_frame(frame)
    assert (bars.close.tolist(), bars.price_decimals) == ([0.1, 0.2, 0.35], 2)


@pytest.mark.parametrize("zone", [None, "UTC", "Asia/Hong_Kong"])
@pytest.mark.parametrize("place", ["index", "named index", "column", "text"])
def test_a_frame_gives_the_bars_of_the_same_file(tmp_path: Path, zone: str | None, place: str) -> None:
    expected = read_bars(written(tmp_path, HEADER + body()))
    frame = pd.DataFrame(
        [list(map(float, row[1:])) for row in ROWS], columns=["Open", "High", "Low", "Close", "Volume"]
    )
    moments = pd.DatetimeIndex(ISO, tz="UTC").tz_convert(zone)
    if place == "column":
        frame.insert(0, "Date", moments)
    elif place == "text":
        frame.insert(0, "Date", moments.astype(str))
    else:
        frame.index = moments.rename("Date" if place == "named index" else None)
    bars = bars_from_frame(frame, "X.Y")
    assert bars.open_time_ns.tolist() == expected.open_time_ns.tolist()
    assert bars.volume.tolist() == expected.volume.tolist()
    assert (bars.instrument_id, bars.interval, bars.price_decimals) == ("X.Y", "1m", 2)


def test_a_frame_with_a_hole_is_refused_with_its_row() -> None:
    prices = {name: [1.0, float("nan"), 1.0] for name in "ohlc"}
    with pytest.raises(InputError, match=r'^DataFrame row 2: open is "nan", it must be a finite number; correct'):
        bars_from_frame(pd.DataFrame({"time": pd.to_datetime(list(ISO)), **prices}))
    with pytest.raises(InputError, match=r"^DataFrame row 2: time is missing; use ISO"):
        bars_from_frame(pd.DataFrame({"time": pd.Series([ISO[0], None, ISO[2]], dtype="datetime64[ns]"), **prices}))
    with pytest.raises(InputError, match=r"^DataFrame has no rows"):
        bars_from_frame(pd.DataFrame({"time": []}))
    with pytest.raises(InputError, match=r"^DataFrame: no time column; .* columns found: open$"):
        bars_from_frame(pd.DataFrame({"open": [1.0]}))


def replaced(old: str, new: str) -> str:
    text = HEADER + body()
    assert text.count(old) == 1
    return text.replace(old, new)


LINE_3 = "1747699260000,100.75,102.00,100.75,101.50,0.125"

BAD_TEXTS: dict[str, tuple[str | bytes, str]] = {
    "NaN": (replaced("102.00", "NaN"), 'line 3: high is "NaN", it must be a finite number; correct or remove the line'),
    "infinity": (replaced("0.125", "inf"), 'line 3: volume is "inf", it must be a finite number; correct or'),
    "negative price": (
        replaced("99.00", "-99"),
        'line 4: low is "-99", it must be above 0; correct or remove the line',
    ),
    "zero price": (replaced("99.00", "0.0"), 'line 4: low is "0.0", it must be above 0; correct or remove the line'),
    "negative volume": (replaced("0.125", "-1"), 'line 3: volume is "-1", it must not be negative; correct or remove'),
    "high below low": (replaced("102.00", "90"), "line 3: high 90.0 is below low 100.75; correct or remove the line"),
    "open outside": (replaced("100.50", "105"), "line 2: open 105.0 is outside low 100.25 to high 101.0; correct"),
    "close outside": (replaced("99.50", "98"), "line 4: close 98.0 is outside low 99.0 to high 101.5; correct or"),
    "backwards": (
        HEADER + body([ROWS[0], ROWS[2], ROWS[1]]),
        "line 4: time goes backwards from 2025-05-20T00:02:00.000000000Z to 2025-05-20T00:01:00.000000000Z; sort the",
    ),
    "duplicate": (HEADER + body([*ROWS, ROWS[2]]), "line 5: time 2025-05-20T00:02:00.000000000Z stands twice; keep"),
    "not a number": (replaced("102.00", "1O2"), 'line 3: high is "1O2", not a number; correct or remove the line'),
    "underscore": (replaced("102.00", "1_02"), 'line 3: high is "1_02", not a number; correct or remove the line'),
    "two dots": (replaced("102.00", "10.2.0"), 'line 3: high is "10.2.0", not a number; correct or remove the line'),
    "decimal comma": (
        replaced("102.00", '"102,0"'),
        'line 3: high is "102 0", not a number; correct or remove the line',
    ),
    "empty field": (replaced("102.00", ""), "line 3: high is missing; correct or remove the line"),
    "empty time": (replaced("1747699260000", ""), "line 3: time is missing; use ISO 8601 or an epoch"),
    "no time": (
        replaced("1747699260000", "soon"),
        'line 3: time is "soon", not a time; use ISO 8601 or an epoch in s,',
    ),
    "time of day": (
        replaced("1747699260000", "60000"),
        'line 3: time is "60000", not an epoch after 1973; use ISO 8601',
    ),
    "too few fields": (replaced(",0.125", ""), "line 3: has 5 fields, line 1 has 6; correct or remove the line"),
    "too many fields": (replaced("0.125", "0.125,7"), "line 3: has 7 fields, line 1 has 6; correct or remove the line"),
    "cut off": (HEADER + body()[:-20], "line 4: has 3 fields, line 1 has 6; correct or remove the line"),
    "fault after blank lines": (
        replaced(LINE_3, f"\n\n{LINE_3}x"),
        'line 5: volume is "0.125x", not a number; correct',
    ),
    "empty": ("", " is empty; name a file with a header line and rows"),
    "only blank lines": ("\n \n", " is empty; name a file with a header line and rows"),
    "header only": (HEADER, " has a header and no rows; name a file with data"),
    "one bar": (HEADER + body(ROWS[:1]), " has one bar; at least two are needed to find the interval"),
    "no close": (
        replaced("close", "last"),
        ": no close column; name one of them close or c; columns found: open_time_ms, open, high, low, last, volume",
    ),
    "two closes": (
        replaced("volume", "Close"),
        ": columns close and Close could all be the close; keep one of them; found: open_time_ms, open, high, low, close",
    ),
    "two times": (
        replaced("volume", "date"),
        ": columns open_time_ms and date could all be the time; keep one of them; found: open_time_ms, open, high, low",
    ),
    "unknown layout": (
        "1,2,3,4\n1,2,3,4\n",
        " has no header and 4 columns; add a header line, or use time, open, high",
    ),
    "sub-second": (
        HEADER + with_times(tuple(FIRST_MS + 500 * n for n in range(3))),
        ": the bars are 500000000 ns apart; the step must be whole seconds",
    ),
    "binary": (b"\x00\x01\x02\xff" * 50, " is binary, not text; save the table as CSV in UTF-8"),
    "binary without zeros": (bytes(range(128, 256)), " is binary, not text; save the table as CSV in UTF-8"),
    "gzip under a plain name": (gzip.compress(b"a", mtime=0), " is gzip data under another name; name it bars.csv.gz"),
}


@pytest.mark.parametrize("case", BAD_TEXTS)
def test_a_fault_is_one_line_with_file_place_value_and_fix(tmp_path: Path, case: str) -> None:
    text, message = BAD_TEXTS[case]
    with pytest.raises(InputError) as caught:
        read_bars(written(tmp_path, text))
    said = str(caught.value)
    assert said.startswith(f"bars.csv{message}" if message[0] in " :" else f"bars.csv {message}")
    assert "\n" not in said


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[1747699200000, 1, 1, 1, 1, 1], [1747699260000, 1, null, 1, 1, 1]]", "row 2: high is missing"),
        ("[[1747699200000, 1, 1, 1, 1, 1], [1747699260000, 1]]", "row 2: has 2 values, row 1 has 6"),
        ("[[1747699200000, 1, 1, 1, 1, 1], [1747699260000, 1, true, 1, 1, 1]]", 'row 2: high is "True", not a number'),
        ('[{"time": 1}]', "is not JSON of the form"),
        ("[[1747699200000, 1, 1", "is not JSON of the form"),
        ("[]", "holds no rows"),
    ],
)
def test_a_faulty_json_file_is_refused(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(InputError, match=f"^bars.json {message}".replace("[", "\\[")):
        read_bars(written(tmp_path, text, "bars.json"))


def test_a_file_that_cannot_be_opened_is_refused(tmp_path: Path) -> None:
    packed = gzip.compress((HEADER + body()).encode())
    with pytest.raises(InputError, match=r"nothing\.csv does not exist; check the path$"):
        read_bars(tmp_path / "nothing.csv")
    with pytest.raises(InputError, match=r"nothing\.parquet does not exist; check the path$"):
        read_bars(tmp_path / "nothing.parquet")
    with pytest.raises(InputError, match=r"^bars\.xls: the kind of file is not known from its suffix; use \.csv"):
        read_bars(tmp_path / "bars.xls")
    with pytest.raises(InputError, match=r"^bars\.gz: the kind of file is not known"):
        read_bars(tmp_path / "bars.gz")
    with pytest.raises(InputError, match=r"^bars\.csv\.gz is a truncated gzip file: .*; fetch it again$"):
        read_bars(written(tmp_path, packed[:-12], "bars.csv.gz"))
    with pytest.raises(InputError, match=r"^bars\.csv\.gz is not a sound gzip file .*; fetch it again$"):
        read_bars(written(tmp_path, HEADER + body(), "bars.csv.gz"))
    with pytest.raises(InputError, match=r"^bars\.csv\.gz is not a sound gzip file .*; fetch it again$"):
        read_bars(written(tmp_path, packed[:20] + bytes(5) + packed[25:], "bars.csv.gz"))
    with pytest.raises(InputError, match=r"^bars\.csv\.gz is empty"):
        read_bars(written(tmp_path, b"", "bars.csv.gz"))
    (tmp_path / "folder.csv").mkdir()
    with pytest.raises(InputError, match=r"cannot be read: Is a directory"):
        read_bars(tmp_path / "folder.csv")


def test_a_zip_must_hold_one_table_and_be_sound(tmp_path: Path) -> None:
    archive = tmp_path / "bars.zip"
    with zipfile.ZipFile(archive, "w") as zipped:
        zipped.writestr("a.csv", HEADER)
        zipped.writestr("b.csv", HEADER)
    with pytest.raises(InputError, match=r"^bars\.zip holds a\.csv, b\.csv; it must hold exactly one \.csv file$"):
        read_bars(archive)
    archive.write_bytes(archive.read_bytes()[:60])
    with pytest.raises(InputError, match=r"^bars\.zip is not a sound zip file"):
        read_bars(archive)


def test_parquet_without_its_library_or_with_garbage_is_refused(tmp_path: Path) -> None:
    with pytest.raises(
        InputError, match=r"^bars\.parquet( is not a sound Parquet file|: Parquet needs pandas and pyarrow)"
    ):
        read_bars(written(tmp_path, b"PAR1 no", "bars.parquet"))
