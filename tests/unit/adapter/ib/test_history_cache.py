"""Past bars on disk: what is known is known by span, bounded, and a file that cannot be read costs only its bars."""

import os
from pathlib import Path

import pytest

from foxtrot.adapter.ib import history_cache
from foxtrot.adapter.ib.history_cache import FOLDER, HistoryCache, KnownBars
from foxtrot.domain.market import BarData


def bar(number: int) -> BarData:
    return BarData("", "", number * 60, number * 60 + 60, 1.0, 2.0, 0.5, 1.5, 10.0, 15.0, 3)


def bars(first: int, end: int) -> list[BarData]:
    return [bar(number) for number in range(first, end)]


def span(first: int, end: int) -> tuple[int, int]:
    return first * 60, end * 60


def test_spans_that_touch_become_one_and_others_stay_apart() -> None:
    known = KnownBars()
    known.add(span(10, 20), bars(10, 20))
    known.add(span(30, 40), bars(30, 40))
    assert known.spans == [span(10, 20), span(30, 40)]
    assert known.span_at(25 * 60) is None
    assert known.span_at(20 * 60) == span(10, 20)
    assert known.span_at(15 * 60) == span(10, 20)
    known.add(span(20, 30), bars(20, 30))
    assert known.spans == [span(10, 40)]
    assert known.between(span(12, 15)) == bars(12, 15)


def test_what_was_written_is_read_again_and_only_by_its_owner(tmp_path: Path) -> None:
    cache, known = HistoryCache(tmp_path), KnownBars()
    known.add(span(0, 3), bars(0, 3))
    cache.write("265598 1 min/TRADES", known)
    found = HistoryCache(tmp_path).read("265598 1 min/TRADES")
    assert (found.spans, found.all()) == ([span(0, 3)], bars(0, 3))
    files = list((tmp_path / FOLDER).iterdir())
    assert [(file.name, file.stat().st_mode & 0o777) for file in files] == [("265598_1_min_TRADES.msgpack", 0o600)]


@pytest.mark.parametrize("content", [b"", b"not msgpack", b"\x80", b"\x83\xa6format\x09\xa5spans\x90\xa4bars\x90"])
def test_a_file_that_cannot_be_read_or_is_of_another_format_has_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / FOLDER).mkdir()
    (tmp_path / FOLDER / "key.msgpack").write_bytes(content)
    assert len(HistoryCache(tmp_path).read("key")) == 0


def test_without_a_home_nothing_is_kept() -> None:
    cache, known = HistoryCache(None), KnownBars()
    known.add(span(0, 3), bars(0, 3))
    cache.write("key", known)
    assert len(cache.read("key")) == 0


def test_a_home_that_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    (tmp_path / FOLDER).write_text("a file where the folder should be")
    HistoryCache(tmp_path).write("key", KnownBars())
    assert (tmp_path / FOLDER).read_text().startswith("a file")


def test_the_oldest_bars_go_first_with_what_was_known_of_their_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history_cache, "MOST_BARS", 5)
    known = KnownBars()
    known.add(span(0, 3), bars(0, 3))
    known.add(span(10, 14), bars(10, 14))
    assert known.all() == [bar(2), *bars(10, 14)]
    assert known.spans == [(120, 180), span(10, 14)]


def test_files_that_were_not_used_for_longest_go_when_all_take_too_much(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cache, known = HistoryCache(tmp_path), KnownBars()
    known.add(span(0, 50), bars(0, 50))
    for age, key in enumerate(("oldest", "used", "newest")):
        cache.write(key, known)
        os.utime(tmp_path / FOLDER / f"{key}.msgpack", ns=(age, age))
    cache.read("oldest")
    size = (tmp_path / FOLDER / "used.msgpack").stat().st_size
    monkeypatch.setattr(history_cache, "MOST_BYTES", 3 * size)
    cache.write("one more", known)
    assert sorted(file.stem for file in (tmp_path / FOLDER).iterdir()) == ["newest", "oldest", "one_more"]
