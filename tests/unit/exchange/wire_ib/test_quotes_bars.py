"""Real-time bars of five seconds."""

from foxtrot.domain.enums import Side
from foxtrot.exchange.wire.ib.surface_settings import IbSettings
from tests.support.ib_quote_rig import APPLE, EURO, QuoteClient, QuoteRig, error_of, new_york


def bars(
    client: QuoteClient, what: str = "TRADES", *, length: int = 5, rth: int = 0, contract: tuple[object, ...] = APPLE
) -> list[list[str]]:
    return client.ask(50, 3, 8, *contract, length, what, rth, "")


def test_a_bar_is_told_when_it_is_over_and_flat_where_nothing_was_traded() -> None:
    rig = QuoteRig()
    client = rig.client()
    assert bars(client) == []
    rig.wait(1)
    rig.trade("200", 2)
    rig.wait(2)
    rig.trade("200.2", 4)
    rig.wait(1)
    assert client.take() == []
    begin = rig.now_ns // 10**9 - 4
    rig.wait(1)
    assert client.take() == [["50", "3", "8", str(begin), "200.0", "200.2", "200.0", "200.2", "6", "200.13333333", "2"]]
    rig.wait(5)
    assert client.take() == [["50", "3", "8", str(begin + 5), "200.2", "200.2", "200.2", "200.2", "0", "200.2", "0"]]


def test_quotes_have_no_volume() -> None:
    rig = QuoteRig()
    rig.rest(Side.BUY, "200", 5)
    rig.rest(Side.SELL, "200.05", 5)
    client = rig.client()
    bars(client, "MIDPOINT")
    rig.wait(1)
    rig.wait(4)
    (told,) = client.take()
    assert told[4:] == ["200.025", "200.025", "200.025", "200.025", "-1", "-1.0", "-1"]


def test_nothing_is_told_before_the_first_price_and_after_cancelling() -> None:
    rig = QuoteRig()
    client = rig.client()
    bars(client)
    rig.wait(5)
    assert client.take() == []
    rig.trade("200")
    assert client.ask(51, 1, 8) == []
    rig.wait(5)
    assert client.take() == []
    assert error_of(client.ask(51, 1, 8)) == (8, 300)


def test_of_the_time_of_a_lost_link_only_the_last_bar_is_told() -> None:
    rig = QuoteRig()
    rig.trade("200")
    client = rig.client()
    bars(client)
    rig.gateway.connectivity.set_upstream(is_up=False)
    rig.wait(60)
    rig.gateway.connectivity.set_upstream(is_up=True)
    client.take()
    rig.wait(0.01)
    assert [fields[3] for fields in client.take()] == [str(rig.now_ns // 10**9 - 5)]


def test_no_bars_outside_regular_hours_where_only_those_are_asked_for() -> None:
    rig = QuoteRig(new_york("2026-03-10 15:59:55"), IbSettings(always_open=False))
    rig.trade("200")
    client, other = rig.client(), rig.client()
    bars(client, rth=1)
    bars(other, rth=0)
    rig.wait(5)
    assert len(client.take()) == len(other.take()) == 1
    rig.wait(5)
    assert (len(client.take()), len(other.take())) == (0, 1)


def test_what_is_refused() -> None:
    client = QuoteRig().client()
    assert error_of(bars(client, length=10)) == (8, 321)
    assert error_of(bars(client, "BID_ASK")) == (8, 321)
    assert error_of(bars(client, contract=EURO)) == (8, 420)
    assert error_of(bars(QuoteRig(settings=IbSettings(has_quotes=False)).client())) == (8, 420)
    bars(client)
    assert error_of(bars(client)) == (8, 322)
