"""The summary of a run as text: lists are words, and what was said a hundred times stands once."""

from foxtrot.app.verbs.outcome import listed
from foxtrot.app.verbs.run import _for_people


def test_a_failure_that_came_again_and_again_stands_once_with_how_often() -> None:
    text = listed(_for_people({"failures": ["a: broken"] * 126 + ["b: lost"], "own_failures": []}))
    assert text.splitlines() == ["failures      a: broken (126 times); b: lost", "own_failures  none"]


def test_rows_are_lines_and_no_json() -> None:
    rows = [{"account": "main", "real_money": False, "health": {"up": True}}, {"account": "two", "real_money": True}]
    text = listed(_for_people({"accounts": rows}))
    assert [line.strip() for line in text.splitlines()] == [
        "accounts", "account main, real_money False", "account two, real_money True",
    ]  # fmt: skip


def test_many_different_failures_are_cut_and_counted() -> None:
    text = listed(_for_people({"failures": [f"strategy {number} failed" for number in range(9)]}))
    assert text.endswith("; and 4 others")
