"""placeOrder as the real clients write it is read field by field; what is told back has the fields that the decoders ask for."""

import pytest

from foxtrot.exchange.wire.ib.layout import FieldReader, fields_at, texts_of
from foxtrot.exchange.wire.ib.order_layouts import (
    COMPLETED_ORDER,
    EXEC_DETAILS,
    OPEN_ORDER,
    ORDER_STATUS,
    algo_text,
)
from foxtrot.exchange.wire.ib.order_read import AskedOrder, read_order
from foxtrot.exchange.wire.ib.refusal import IbRefused
from tests.support.ib_order_rig import field_names, order_fields, recorded

CLIENTS = {"ibapi_157": 157, "ib_async_157": 157, "ib_async_178": 178, "ibapi_178": 178}


def read(fields: list[str], version: int = 157) -> AskedOrder:
    return read_order(FieldReader(fields[1:]), version)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_plain_order_of_each_client_is_read_whole(client: str) -> None:
    (fields,) = recorded(client)["limit"]
    asked = read(fields, CLIENTS[client])
    assert len(fields) == {157: 110, 178: 114}[CLIENTS[client]]
    assert asked.order_id == 1
    assert (asked.contract.symbol, asked.contract.sec_type, asked.contract.exchange) == ("AAPL", "STK", "SMART")
    assert asked.text("action") == "BUY"
    assert asked.number("totalQuantity") == 100
    assert asked.number("lmtPrice") == 189.5
    assert (asked.text("tif"), asked.text("orderRef"), asked.text("account")) == ("GTC", "mine", "DU1000001")
    assert asked.flag("transmit")
    assert not asked.flag("whatIf")
    assert asked.number("auxPrice") is None
    assert asked.number("triggerPrice") is None


@pytest.mark.parametrize("client", ["ibapi_157", "ibapi_178"])
def test_the_fields_of_other_orders_are_read(client: str) -> None:
    version, messages = CLIENTS[client], recorded(client)
    stop = read(messages["stop_limit"][0], version)
    assert (stop.text("orderType"), stop.number("auxPrice"), stop.flag("outsideRth")) == ("STP LMT", 185, True)
    assert read(messages["trail"][0], version).number("trailingPercent") == 2.5
    assert read(messages["what_if"][0], version).flag("whatIf")
    child = read(messages["child"][0], version)
    assert (child.whole("parentId"), child.flag("transmit")) == (1, False)
    assert (child.text("ocaGroup"), child.whole("ocaType")) == ("g", 1)
    adaptive = read(messages["adaptive"][0], version)
    assert adaptive.text("algoStrategy") == algo_text("Adaptive", ("adaptivePriority", "Normal"))


@pytest.mark.parametrize("client", ["ib_async_157", "ib_async_178"])
def test_an_order_that_a_client_sends_back_as_it_was_told_is_read(client: str) -> None:
    """ib_async modifies with the "None" of TWS in it, behind which eight more fields follow."""
    asked = read(recorded(client)["echoed"][0], CLIENTS[client])
    assert asked.text("deltaNeutralOrderType") == "None"
    assert asked.number("totalQuantity") == 100


def test_the_defaults_of_ibapi_are_refused_by_their_old_attributes_later() -> None:
    asked = read(recorded("ibapi_157")["defaults"][0])
    assert asked.flag("eTradeOnly")
    assert asked.flag("firmQuoteOnly")


@pytest.mark.parametrize(
    ("more", "code"),
    [
        ({"secType": "BAG"}, 321),
        ({"orderType": "PEG BENCH"}, 387),
        ({"conditionsCount": 1}, 321),
        ({"deltaNeutralContract": 1}, 201),
        ({"hedgeType": "D"}, 201),
        ({"scalePriceIncrement": 0.5}, 201),
        ({"hidden": "perhaps"}, 321),
        ({"triggerMethod": "x"}, 321),
        ({"displaySize": "99999999999999999999"}, 321),
        ({"delta": "1e500"}, 321),
        ({"lmtPrice": "nan"}, 321),
        ({"lmtPrice": "inf"}, 321),
    ],
)
def test_what_no_order_may_have_is_refused_under_the_orders_id(more: dict[str, object], code: int) -> None:
    with pytest.raises(IbRefused) as refused:
        read(order_fields(7, **more))
    assert (refused.value.code, refused.value.request_id) == (code, 7)


def test_a_field_too_few_or_too_many_is_refused_under_the_orders_id() -> None:
    fields = order_fields(7)
    for wrong in (fields[:-1], [*fields, ""], fields[:20]):
        with pytest.raises(IbRefused) as refused:
            read(wrong)
        assert refused.value.request_id == 7


def test_the_names_of_the_fields_are_those_that_were_recorded() -> None:
    for client, version in CLIENTS.items():
        assert len(field_names(version)) == len(recorded(client)["limit"][0])


@pytest.mark.parametrize(
    ("of", "at_157", "at_178"), [(OPEN_ORDER, 127, 134), (COMPLETED_ORDER, 95, 99), (EXEC_DETAILS, 30, 31)]
)
def test_the_fields_of_messages_change_with_the_version(of: object, at_157: int, at_178: int) -> None:
    assert (len(fields_at(of, 157)), len(fields_at(of, 178))) == (at_157, at_178)  # type: ignore[arg-type]
    names = [field.name for field in fields_at(of, 157)]  # type: ignore[arg-type]
    assert len(set(names)) == len(names)


def test_an_order_status_has_the_eleven_fields_of_the_protocol() -> None:
    values = {"orderId": 1, "status": "Submitted", "permId": 9, "clientId": 2}
    assert texts_of(ORDER_STATUS, 157, values) == ["3", "1", "Submitted", "", "", "", "9", "", "", "2", "", "0"]
