"""A thread that makes blocking calls of Futu's SDK."""

from typing import Final

from foxtrot.adapter import worker
from foxtrot.adapter.futu.errors import VENUE, NotLinked

GONE: Final = "the connection to OpenD is gone"


class Worker(worker.Worker):
    """A worker whose refusals are Futu's NotLinked.

    Thread: see foxtrot/adapter/worker.py.
    """

    def __init__(self, name: str) -> None:
        super().__init__(name, lambda thread: NotLinked(VENUE, thread, GONE))
