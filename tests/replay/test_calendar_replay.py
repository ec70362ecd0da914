"""The exchange calendars agree with the days on which recorded stocks were traded."""

import csv
import gzip
import io
import zipfile
from datetime import date, timedelta
from pathlib import Path

import pytest

from foxtrot.domain.calendar_presets import calendar_named


def open_days(name: str, first: date, last: date) -> set[date]:
    calendar = calendar_named(name)
    days = (first + timedelta(days=n) for n in range((last - first).days + 1))
    return {day for day in days if calendar.sessions_on(day)}


@pytest.mark.parametrize("file", ["aapl_daily.zip", "spy_daily.zip"])
def test_new_york_was_open_on_the_recorded_days_and_no_others(data_dir: Path, file: str) -> None:
    with zipfile.ZipFile(data_dir / "stocks" / file) as archive, archive.open(archive.namelist()[0]) as raw:
        days = {date.fromisoformat(row[0][:8]) for row in csv.reader(io.TextIOWrapper(raw, "ascii"))}
    assert len(days) == 5_849
    assert days == open_days("XNYS", min(days), max(days))


def test_hong_kong_was_open_on_the_recorded_days_and_no_others(data_dir: Path) -> None:
    traded: set[date] = set()
    for code in ("0700", "0388"):
        with gzip.open(data_dir / "stocks" / f"hk_{code}_daily_2012_2015.csv.gz", "rt") as lines:
            traded |= {date.fromisoformat(row["Date"]) for row in csv.DictReader(lines) if float(row["Volume"]) > 0}
    assert len(traded) > 700
    assert traded == open_days("XHKG", min(traded), max(traded))
