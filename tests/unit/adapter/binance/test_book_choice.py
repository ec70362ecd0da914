"""Which way to a book the settings choose, and what is wrong with those that choose none."""

import pytest

from foxtrot.adapter.base_adapter import AdapterContext, Setting
from foxtrot.adapter.binance.book_choice import BookChoice, BookWay
from foxtrot.adapter.binance.config import read_settings
from foxtrot.core.clock import ManualClock
from foxtrot.core.send_permit import SendPermit
from foxtrot.domain.errors import ConfigError
from tests.support.recorder import Recorder


def choice(**settings: Setting) -> BookChoice:
    context = AdapterContext("ours", Recorder(), SendPermit(), ManualClock(), settings, {}, environment="testnet")
    return read_settings(context).books


def refused(**settings: Setting) -> str:
    with pytest.raises(ConfigError) as raised:
        choice(**settings)
    return str(raised.value)


def test_without_settings_every_book_is_our_own_and_audited_every_five_minutes() -> None:
    chosen = choice()
    assert chosen.way("BTCUSDT") is BookWay.DEPTH_CACHE
    assert not chosen.is_compared("BTCUSDT")
    assert chosen.audit_interval_s == 300.0


def test_single_symbols_may_have_other_ways_however_they_are_written() -> None:
    chosen = choice(book="partial", book_of=" btcusdt = ccxt,ETHUSDT.BINANCE=depth_cache , ", compare_books="ethusdt")
    ways = [chosen.way(symbol) for symbol in ("BTCUSDT", "ETHUSDT", "SOLUSDT")]
    assert ways == [BookWay.CCXT, BookWay.DEPTH_CACHE, BookWay.PARTIAL]
    assert chosen.is_compared("ETHUSDT")
    assert chosen.named() == {"BTCUSDT", "ETHUSDT"}


def test_a_misspelt_way_is_refused_with_the_nearest() -> None:
    text = refused(book="depthcache")
    assert "did you mean depth_cache?" in text


def test_ways_are_told_by_plain_names() -> None:
    for text in (refused(book="fast"), refused(book_of="BTCUSDT=fast")):
        assert "it is one of depth_cache, ccxt, partial" in text
        assert "BookWay" not in text


def test_the_part_that_is_wrong_is_named() -> None:
    text = refused(book_of="ETHUSDT=ccxt, BTCUSDT=cxt")
    assert "'cxt' in 'BTCUSDT=cxt' is no way" in text
    assert text.endswith("did you mean ccxt?")


@pytest.mark.parametrize("ways", ["BTCUSDT", "BTCUSDT=", "=ccxt", "BTCUSDT: ccxt", "BTCUSDT=ccxt ETHUSDT=partial"])
def test_what_is_no_list_of_ways_is_refused_with_what_to_write(ways: str) -> None:
    text = refused(book_of=ways)
    assert "book_of" in text
    assert "write SYMBOL=WAY" in text
    assert "depth_cache, ccxt, partial" in text


def test_a_symbol_with_two_ways_is_refused() -> None:
    assert "BTCUSDT has two ways" in refused(book_of="BTCUSDT=ccxt, BTCUSDT=partial")
    assert choice(book_of="BTCUSDT=ccxt, BTCUSDT=ccxt").way("BTCUSDT") is BookWay.CCXT


def test_our_own_book_needs_the_hot_path() -> None:
    assert "needs hot_path = true" in refused(hot_path=False, book_of="BTCUSDT=depth_cache")
    assert "needs hot_path = true" in refused(hot_path=False, compare_books="BTCUSDT")
    assert choice(hot_path=False, book_of="BTCUSDT=partial").way("BTCUSDT") is BookWay.PARTIAL


def test_only_our_own_book_is_compared() -> None:
    text = refused(book_of="BTCUSDT=partial", compare_books="BTCUSDT")
    assert "compare_books" in text
    assert "the book of BTCUSDT is partial" in text


def test_an_interval_of_audits_is_nothing_or_a_second_and_more() -> None:
    assert choice(audit_interval_s=0).audit_interval_s == 0
    assert choice(audit_interval_s=1).audit_interval_s == 1.0
    for wrong in (0.5, -1, 86_401, True):
        assert "audit_interval_s" in refused(audit_interval_s=wrong)
