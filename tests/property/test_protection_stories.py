"""The same of a spot position whose venue keeps pairs: whatever comes when, a pair closes once, and each stop has its take-profit."""

from hypothesis import given, settings

from tests.support.pair_world import PairWorld
from tests.support.protection_story import Story, play_to_the_end, stories

BRACKET = [("enter", 0, 6), ("fill", 0, 7), ("deliver", 0, 1), ("deliver", 0, 1)]
"""An entry with stop and take-profit that has bought seven lots, and is told of them."""


@settings(max_examples=150, deadline=None)
@given(stories("trigger", "hit", "hit", "drop", "deliver", "deliver", least=8))
def test_pairs_never_close_more_than_the_position_and_what_settles_has_stop_and_take_profit(story: Story) -> None:
    play_to_the_end(PairWorld(), story, BRACKET)
