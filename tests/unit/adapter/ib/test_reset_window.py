"""The nightly reset: in which hours no order leaves, by the clocks of a zone, over midnight and over their changes."""

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from foxtrot.adapter.ib.reset_window import NEVER, ResetWindow, read_window

NEW_YORK = ZoneInfo("America/New_York")
NIGHTLY = read_window("23:45-00:45 America/New_York")


def at(text: str, zone: ZoneInfo = NEW_YORK) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp()) * 1_000_000_000


@pytest.mark.parametrize(
    ("now", "refused"),
    [
        ("2026-11-28 12:00", False), ("2026-11-28 23:43:59", False), ("2026-11-28 23:44", True), ("2026-11-28 23:59", True),
        ("2026-11-29 00:00", True), ("2026-11-29 00:44:59", True), ("2026-11-29 00:45", False), ("2026-11-29 01:00", False),
        ("2026-03-07 23:50", True), ("2026-03-08 00:30", True), ("2026-03-08 00:50", False),  # the clocks go forward at two
        ("2026-11-01 00:30", True), ("2026-11-01 01:30", False), ("2026-10-31 23:44", True),  # and back
    ],
)  # fmt: skip
def test_nothing_leaves_from_a_minute_before_until_its_end(now: str, refused: bool) -> None:
    now_ns = at(now)
    began = NIGHTLY.latest(now_ns)
    assert began is not None
    reconciled_ns = now_ns if now_ns >= began[1] else began[0] - 1
    assert bool(NIGHTLY.refusal(now_ns, reconciled_ns)) is refused


def test_nothing_leaves_after_it_until_the_account_is_known_again() -> None:
    now_ns = at("2026-11-29 01:00")
    assert "until the account is reconciled" in NIGHTLY.refusal(now_ns, at("2026-11-28 20:00"))
    assert "until the account is reconciled" in NIGHTLY.refusal(now_ns, at("2026-11-29 00:30"))
    assert NIGHTLY.refusal(now_ns, at("2026-11-29 00:45")) == ""
    assert NIGHTLY.refusal(at("2026-11-29 22:00"), at("2026-11-29 00:50")) == ""


def test_one_that_does_not_go_over_midnight_and_none_at_all() -> None:
    noon = read_window("12:00-13:30 UTC")
    utc = ZoneInfo("UTC")
    assert noon.refusal(at("2026-11-28 12:30", utc), at("2026-11-28 11:00", utc))
    assert noon.left_s(at("2026-11-28 13:00", utc)) == 1800.0
    assert noon.left_s(at("2026-11-28 14:00", utc)) == 0.0
    assert noon.refusal(at("2026-11-28 11:00", utc), at("2026-11-27 14:00", utc)) == ""
    assert read_window("  ") == NEVER
    assert NEVER.refusal(at("2026-11-28 23:50"), 0) == ""
    assert NEVER.left_s(at("2026-11-28 23:50")) == 0.0


@pytest.mark.parametrize(
    "text",
    ["23:45", "23:45-00:45", "23.45-00:45 UTC", "23:45-00:45 Nowhere", "1:00-2:00 UTC", "01:00-01:00 UTC", "x-y UTC"],
)
def test_what_is_no_window_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"it |no time"):
        read_window(text)


def test_a_window_says_how_it_was_set() -> None:
    assert ResetWindow(85_500, 3_600, "America/New_York", "23:45-00:45 America/New_York") == NIGHTLY
