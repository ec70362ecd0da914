"""Whatever fills, ends, is told twice or dies: orders that close never exceed the position, and what settles is protected."""

from hypothesis import given, settings

from tests.support.protection_story import Story, play_to_the_end, stories
from tests.support.protection_world import ProtectionWorld


@settings(max_examples=200, deadline=None)
@given(stories())
def test_closing_orders_never_exceed_the_position_and_what_settles_is_protected(story: Story) -> None:
    play_to_the_end(ProtectionWorld(), story, [("enter", 0, 1)])
