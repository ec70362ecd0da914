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
    latin = {key for key, text in table.items() if not re.search(r"[\u4e00-\u9fff]", text)}
    assert latin <= {"window.title", "status.flush", "status.memory"} | {key for key in latin if len(table[key]) <= 4}
