"""A venue that asks its naive twin about every command and fails the test when they differ: one suite, two venues."""

from foxtrot.exchange.commands import VenueCommand
from foxtrot.exchange.event_stream import Sink
from foxtrot.exchange.result import CommandResult
from foxtrot.exchange.venue import Venue
from tests.support.naive_venue import NaiveVenue


class TwinVenue(Venue):
    """The fast venue with the naive one beside it."""

    def __init__(self, sink: Sink) -> None:
        super().__init__(sink)
        self.naive = NaiveVenue()

    def execute(self, command: VenueCommand) -> CommandResult:
        """Run a command on both and compare answer, state and invariants."""
        result, expected = super().execute(command), self.naive.execute(command)
        assert result.code is expected.code, (command, result, expected)
        assert self.state_hash() == self.naive.state_hash(), command
        self.validate()
        return result
