"""One connected client: what waits for it, and what becomes of it when it is too slow."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable

import msgspec

from foxtrot.hub.channel import Channel
from foxtrot.hub.wire import Conflated, Told, encode

Send = Callable[[bytes], Awaitable[None]]


class Seat(msgspec.Struct):
    """A client's place in a channel: whether it is behind, and by how many frames."""

    channel: Channel
    is_behind: bool = False
    skipped: int = 0


class Waiting(msgspec.Struct, frozen=True, gc=False):
    """A frame of a stream that waits, and how many of its numbers are lost with it; a notice tells of frames left out."""

    stream: int
    steps: int
    data: bytes
    is_notice: bool = False


class Peer:
    """A client with its streams and its queue, which never holds more than `queue_bytes` of levels and ticks.

    When that is full every frame of a stream that waits is left out and counted; once the client has taken the rest it is told how many of
    each stream it missed, and gets the whole anew. Answers and states pass everything; a state takes the place of whatever
    waits of its stream, so that nobody who reads late believes levels of a book that is sick by now.

    Thread: hub-io.
    """

    def __init__(self, queue_bytes: int) -> None:
        self.seats: dict[int, Seat] = {}
        self.conflated = 0
        self.waiting_bytes = 0
        self._queue_bytes = queue_bytes
        self._urgent: deque[Waiting] = deque()
        self._queue: deque[Waiting] = deque()
        self._something = asyncio.Event()

    @property
    def urgent_frames(self) -> int:
        """Return how many answers and states wait."""
        return len(self._urgent)

    def join(self, channel: Channel) -> None:
        """Read a channel from its present whole on."""
        channel.readers[self] = None
        seat = self.seats[channel.number] = Seat(channel)
        whole = channel.whole()
        if self.waiting_bytes + len(whole) <= self._queue_bytes:
            self._push(Waiting(channel.number, 0, whole))
        else:
            seat.is_behind = True
            self._something.set()

    def leave(self, number: int) -> Channel:
        """Read a channel no more; what waits of it is dropped."""
        seat = self.seats.pop(number)
        seat.channel.readers.pop(self, None)
        self._drop(number)
        return seat.channel

    def answer(self, frame: Told) -> None:
        """Say something that is of no stream's sequence."""
        self._urgent.append(Waiting(0, 0, encode(frame)))
        self._something.set()

    def tell(self, channel: Channel, frame: bytes) -> None:
        """Take the next frame of a channel, or count it as left out."""
        seat = self.seats[channel.number]
        if not seat.is_behind and self.waiting_bytes + len(frame) > self._queue_bytes:
            self._conflate()
            seat.is_behind = True
        if seat.is_behind:
            seat.skipped += 1
            self._something.set()
            return
        self._push(Waiting(channel.number, 1, frame))

    def tell_state(self, channel: Channel, frame: bytes) -> None:
        """Take a frame that makes what waits of its channel worthless."""
        seat = self.seats[channel.number]
        left_out = self._drop(channel.number) + seat.skipped
        seat.is_behind, seat.skipped = False, 0
        if left_out:
            self._urgent.append(_notice(channel.number, channel.seq - 1, left_out))
        self._urgent.append(Waiting(channel.number, 1, frame))
        self._something.set()

    async def write(self, send: Send) -> None:
        """Send what waits, in its order, for ever."""
        while True:
            await self._something.wait()
            self._something.clear()
            while (waiting := self._next()) is not None:
                await send(waiting.data)

    def _next(self) -> Waiting | None:
        if not self._urgent and not self._queue:
            self._catch_up()
        if self._urgent:
            taken = self._urgent.popleft()
            self.conflated += taken.steps if taken.is_notice else 0
            return taken
        if self._queue:
            taken = self._queue.popleft()
            self.waiting_bytes -= len(taken.data)
            return taken
        return None

    def _catch_up(self) -> None:
        """Give one stream that is behind its whole, and tell what was left out."""
        seat = next((seat for seat in self.seats.values() if seat.is_behind), None)
        if seat is None:
            return
        channel, count = seat.channel, seat.skipped
        seat.is_behind, seat.skipped = False, 0
        if count:
            self._urgent.append(_notice(channel.number, channel.seq, count))
        self._push(Waiting(channel.number, 0, channel.whole()))

    def _push(self, waiting: Waiting) -> None:
        self._queue.append(waiting)
        self.waiting_bytes += len(waiting.data)
        self._something.set()

    def _conflate(self) -> None:
        """Leave out everything of every stream that waits its turn."""
        for waiting in self._queue:
            seat = self.seats[waiting.stream]
            seat.is_behind = True
            seat.skipped += waiting.steps
        self._queue.clear()
        self.waiting_bytes = 0

    def _drop(self, number: int) -> int:
        """Take out what waits of a stream; returns how many of its numbers are lost."""
        lost = 0
        for lane in (self._urgent, self._queue):
            if any(waiting.stream == number for waiting in lane):
                kept = [waiting for waiting in lane if waiting.stream != number]
                lost += sum(waiting.steps for waiting in lane if waiting.stream == number)
                lane.clear()
                lane.extend(kept)
        self.waiting_bytes = sum(len(waiting.data) for waiting in self._queue)
        return lost


def _notice(stream: int, seq: int, count: int) -> Waiting:
    return Waiting(stream, count, encode(Conflated(stream=stream, seq=seq, count=count)), is_notice=True)
