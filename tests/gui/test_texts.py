"""Every word is there in every language, and the code asks for none that is not."""

import re
import string
from pathlib import Path

import pytest

from foxtrot.gui import texts

SOURCE = Path(texts.__file__).parents[1]
ASKED = re.compile(r"""\btr\(\s*"([a-z0-9_]+\.[a-z0-9_]+)\"""")


def _fields(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_each_language_has_the_same_texts_with_the_same_places(language: str) -> None:
    english, other = texts.table("en"), texts.table(language)
    assert set(other) == set(english)
    assert [key for key in english if _fields(english[key]) != _fields(other[key])] == []
    assert [key for key, text in other.items() if not text.strip()] == []


def test_every_text_that_the_code_asks_for_is_there() -> None:
    asked = {key for path in SOURCE.rglob("*.py") for key in ASKED.findall(path.read_text("utf-8"))}
    assert asked - set(texts.table("en")) == set()
    assert len(asked) > 20


def test_chinese_is_chinese() -> None:
    table = texts.table("zh")
    latin = {
        key for key, text in table.items() if not re.search(r"[\u4e00-\u9fff]", text) and re.search("[A-Za-z]", text)
    }
    assert latin <= {"window.title", "status.flush", "status.memory"} | {key for key in latin if len(table[key]) <= 4}


NUMBERS = "count|orders|strategies|days|done|total|lines|ticks|entries|cancelled|reducing|foreign|shown|all"


def test_what_is_counted_in_english_has_a_word_for_one() -> None:
    """Of `{count} orders` one would be "1 orders"."""
    counted = re.compile(rf"\{{({NUMBERS})\}} (?:more |of them )?[a-z]+s\b|\{{({NUMBERS})\}} (?:are|were|have)\b")
    assert {key: text for key, text in texts.table("en").items() if counted.search(text)} == {}


@pytest.mark.parametrize(
    ("count", "text"), [(1, "1 stall"), ("1", "1 stall"), (0, "0 stalls"), (21, "21 stalls"), ("1,001", "1,001 stalls")]
)
def test_a_counted_word_fits_to_its_number(count: object, text: str) -> None:
    assert texts.tr("status.stalls", count=count) == text


def test_a_text_with_words_to_choose_from_and_with_figures_is_filled() -> None:
    assert texts.tr("kill.entries", entries=1, cancelled=1, filled=0).startswith(
        "1 order could have opened or added: 1 is cancelled, 0"
    )
    assert texts.tr("kill.entries", entries=2, cancelled=0, filled=2).startswith(
        "2 orders could have opened or added: 0 are cancelled, 2"
    )
