"""What a bundle must not show is taken out of texts, JSON and msgpack, and everything else stays as it was."""

from pathlib import Path

import msgspec
import pytest

from foxtrot.app.config import Config
from foxtrot.app.config_tables import AccountTable
from foxtrot.app.scrub import Scrub
from tests.support.canary import CANARY_SECRET, canaries_in

HOME = Path("/home/someone")


@pytest.fixture
def scrub() -> Scrub:
    settings = {
        "api_secret_env": "MY_SECRET",
        "account_id": "7654321",
        "port": 7654321,
        "user": "abc",
        "login": "trader77",
    }
    config = Config(accounts={"main": AccountTable(adapter="binance", settings=settings)})
    return Scrub(config, {"MY_SECRET": CANARY_SECRET}, HOME)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("account 7654321 has it", "account *** has it"),
        ("76543210 is another number", "76543210 is another number"),
        ("U1234567 and DU7654321", "*** and ***"),
        ("F-making-mwzf85pnva-1 filled", "F-making-mwzf85pnva-1 filled"),
        ("trader77@example.com", "***"),
        ("/home/someone/foxtrot/data", "~/foxtrot/data"),
        ("abc is too short to hide", "abc is too short to hide"),
        (f"key {CANARY_SECRET}!", "key ***!"),
    ],
)
def test_a_text_is_scrubbed(scrub: Scrub, text: str, clean: str) -> None:
    assert scrub.text(text) == clean


def test_json_and_msgpack_are_scrubbed_inside_and_counted(scrub: Scrub) -> None:
    fact = {"price": 1.5, "note": f"by trader77 with {CANARY_SECRET}", "rows": [["U1234567", 3]]}
    for data in (scrub.json(msgspec.json.encode(fact)), scrub.packed(msgspec.msgpack.encode(fact))):
        assert canaries_in(data) == []
        assert b"U1234567" not in data
        assert b"price" in data
    assert scrub.found == 4


def test_what_has_nothing_to_hide_keeps_its_very_bytes(scrub: Scrub) -> None:
    data = b'{ "price" : 1.50 }'
    assert scrub.json(data) is data
    assert scrub.found == 0


def test_a_value_named_like_a_secret_is_masked_whatever_it_is(scrub: Scrub) -> None:
    assert b"hush" not in scrub.json(b'{"api_secret": "hush", "nested": {"password": "hush hush"}}')
