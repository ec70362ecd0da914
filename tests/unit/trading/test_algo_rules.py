"""Orders that name an algorithm of their venue's own: what is refused, and what goes along to the adapter and into the journal."""

import msgspec
import pytest

from foxtrot.adapter.capabilities import Algo
from foxtrot.domain.enums import OrderStatus, OrderType
from foxtrot.domain.order import ApprovedOrder
from foxtrot.storage.journal_records import Intent
from tests.support.builders import TradingFloor, a_perpetual, a_request, a_tick

ADAPTIVE = Algo("Adaptive", frozenset({OrderType.LIMIT}), (("adaptivePriority", ("Normal", "Patient")), ("note", ())))
PATIENT = (("adaptivePriority", "Patient"),)


def floor(*algos: Algo) -> TradingFloor:
    made = TradingFloor(a_perpetual())
    adapter = made.adapter
    adapter.capabilities = msgspec.structs.replace(adapter.capabilities, algos=algos)  # type: ignore[misc]
    made.put(a_tick())
    return made


@pytest.mark.parametrize(
    ("terms", "says"),
    [
        ({"algo": "Twap"}, "limit Adaptive"),
        ({"algo": "adaptive"}, "limit Adaptive"),
        ({"algo": "Adaptive", "order_type": OrderType.MARKET, "price": 0.0}, "Adaptive works limit"),
        ({"algo": "Adaptive", "algo_params": (("speed", "1"),)}, "each once: adaptivePriority, note"),
        ({"algo": "Adaptive", "algo_params": (*PATIENT, *PATIENT)}, "each once: adaptivePriority, note"),
        ({"algo": "Adaptive", "algo_params": (("adaptivePriority", "Hasty"),)}, "Normal, Patient"),
        ({"algo_params": PATIENT}, "name it by `algo`"),
    ],
)
def test_what_the_venue_does_not_have_is_denied_with_what_it_has(terms: dict[str, object], says: str) -> None:
    made = floor(ADAPTIVE)
    order = made.send(a_request(**{"price": 100.0, **terms}))  # type: ignore[arg-type]
    assert (order.status, order.rule) == (OrderStatus.DENIED, "algo")
    assert says in order.reason
    assert made.adapter.sent == []


def test_a_venue_without_algorithms_takes_none() -> None:
    order = floor().send(a_request(price=100.0, algo="Adaptive"))
    assert (order.status, order.rule) == (OrderStatus.DENIED, "algo")
    assert "none at" in order.reason


def test_an_algorithm_goes_to_the_adapter_and_through_the_journal() -> None:
    made = floor(ADAPTIVE)
    wish = (*PATIENT, ("note", "anything"))
    made.send(a_request(price=100.0, algo="Adaptive", algo_params=wish))
    (sent,) = made.adapter.sent
    assert (sent.algo, sent.algo_params) == ("Adaptive", wish)
    written = msgspec.msgpack.encode(Intent(1, sent))
    assert msgspec.msgpack.decode(written, type=Intent).order == sent


def test_intents_of_journals_that_knew_no_algorithms_are_read() -> None:
    made = floor(ADAPTIVE)
    made.send(a_request(price=100.0))
    (sent,) = made.adapter.sent
    before = msgspec.to_builtins(sent)
    del before["algo"], before["algo_params"]
    assert msgspec.convert(before, ApprovedOrder) == sent
