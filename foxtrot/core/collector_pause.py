"""Python's cyclic garbage collector, kept out of the way while very many objects are made that all stay."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def paused_collector() -> Iterator[None]:
    """Let no collection begin inside: each would look at all the objects made so far and free none of them.

    Thread: any; the collector is the whole process's.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()
