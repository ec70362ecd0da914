"""The same of a spot position whose venue keeps pairs: whatever comes when, a pair closes once, and each stop has its take-profit."""

from hypothesis import given, settings

from tests.support.pair_world import PairWorld
from tests.support.protection_story import Story, play_to_the_end, stories


@settings(max_examples=200, deadline=None)
@given(stories("trigger", "trigger"))
def test_pairs_never_close_more_than_the_position_and_what_settles_has_stop_and_take_profit(story: Story) -> None:
    play_to_the_end(PairWorld(), story)
