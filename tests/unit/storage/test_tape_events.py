"""What a tape can hold: every fact, notice and command, exactly, and nothing by a name that it does not know."""

from decimal import Decimal

import msgspec
import pytest

from foxtrot.core import commands, notices
from foxtrot.core.notices import AccountReconciled, HandlerFailed
from foxtrot.domain.account import AccountData, BalanceData
from foxtrot.domain.enums import Product
from foxtrot.domain.instrument import Grid, Instrument
from foxtrot.domain.market import TickData
from foxtrot.storage.tape_events import KNOWN, checksum_of, decode_event, encode_event, is_known


def test_every_known_class_can_be_read() -> None:
    for name, kind in KNOWN.items():
        assert kind.__name__ == name
        msgspec.msgpack.Decoder(kind)


def test_every_notice_and_command_is_known() -> None:
    for module in (notices, commands):
        defined = {one for one in vars(module).values() if getattr(one, "__module__", "") == module.__name__}
        assert all(is_known(one) for one in defined if isinstance(one, type) and issubclass(one, msgspec.Struct))


@pytest.mark.parametrize("price", [0.1, 1e-300, 59997.42, float("inf"), -0.0])
def test_floats_come_back_to_the_last_bit(price: float) -> None:
    tick = TickData("BTCUSDT.BINANCE", 1, 2, price)
    found = decode_event("TickData", encode_event(tick))
    assert repr(found) == repr(tick)


def test_decimals_and_instruments_come_back_exactly() -> None:
    instrument = Instrument(
        instrument_id="A.B", symbol="A", venue="B", product=Product.SPOT, base_asset="A", quote_asset="C", settle_asset="C",
        price_grid=Grid.of("0.01"), quantity_grid=Grid.of("0.001"), min_notional=Decimal("10.00"),
    )  # fmt: skip
    loaded = notices.ContractsLoaded("main", (instrument,))
    assert repr(decode_event("ContractsLoaded", encode_event(loaded))) == repr(loaded)
    account = AccountData(
        "main", (BalanceData("main", "C", Decimal("1.0E-8"), Decimal("1.0E-8"), Decimal("0.000"), 5, 6),), 5, 6
    )
    assert repr(decode_event("AccountData", encode_event(account))) == repr(account)


def test_a_class_by_another_name_is_refused() -> None:
    with pytest.raises(KeyError):
        decode_event("Popen", b"\x80")
    with pytest.raises(msgspec.MsgspecError):
        decode_event("TickData", b"\x80")


def test_a_checksum_tells_two_events_apart_and_leaves_the_words_of_exceptions_out() -> None:
    first, second = (AccountReconciled("main", cause, 0, "", 1) for cause in ("start", "link"))
    assert checksum_of(first) != checksum_of(second)
    failure = HandlerFailed("a", "b", "c", "<object at 0x7f3a>", core=False, sequence=1)
    assert checksum_of(failure) == checksum_of(object()) == 0
