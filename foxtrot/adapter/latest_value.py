"""A value that goes on changing, for whoever only wants the newest: read at once, waited for, or looped over, blocking or async."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeout
from typing import Generic, TypeVar

from foxtrot.domain.errors import FoxtrotError

Value = TypeVar("Value")


class LatestValue(Generic[Value]):
    """The newest of a row of values; a reader that is slow leaves out those in between, and holds nobody up.

    Thread: any.

    Args:
        first: the value before the first one is given.
    """

    def __init__(self, first: Value) -> None:
        self._lock = threading.Lock()
        self._latest = first
        self._version = 0
        self._is_ended = False
        self._error: FoxtrotError | None = None
        self._waiters: list[Future[None]] = []
        self._wishes: list[tuple[Callable[[Value], bool], Future[Value]]] = []

    @property
    def latest(self) -> Value:
        """Return the newest value, at once."""
        return self._latest

    @property
    def error(self) -> FoxtrotError | None:
        """Return why no more values come, None while they do or when they were ended on purpose."""
        return self._error

    @property
    def is_ended(self) -> bool:
        """Tell whether no more values come."""
        return self._is_ended

    def give(self, value: Value) -> None:
        """Take a newer value; after the end it is left alone."""
        with self._lock:
            if self._is_ended:
                return
            self._latest = value
            self._renew()

    def end(self, last: Value, error: FoxtrotError | None = None) -> None:
        """Give nothing after a last value; an error is raised where somebody waits. Again is harmless."""
        with self._lock:
            if not self._is_ended:
                self._is_ended, self._error, self._latest = True, error, last
                self._renew()

    def first(self, is_wanted: Callable[[Value], bool], timeout_s: float) -> Value:
        """Return the newest value that is wanted, at once when it is; the value itself tells after the end.

        Blocks: at most `timeout_s`, however many others come meanwhile.

        Raises:
            TimeoutError: none came in time.
            FoxtrotError: the one it was ended with.
        """
        come: Future[Value] = Future()
        with self._lock:
            self._wishes.append((is_wanted, come))
            self._grant()
        try:
            return come.result(timeout_s)
        except FutureTimeout:
            raise TimeoutError(f"nothing that is wanted in {timeout_s} s") from None
        finally:
            with self._lock:
                self._wishes = [wish for wish in self._wishes if wish[1] is not come]

    def each(self, timeout_s: float | None = None) -> Iterator[Value]:
        """Yield the newest value now and whenever there is a newer one, until the end.

        Blocks: at most `timeout_s` between values; without one as long as it takes.

        Raises:
            TimeoutError: no newer value came in time.
            FoxtrotError: the one it was ended with.
        """
        seen = -1
        while True:
            waiter = self._newer_than(seen)
            try:
                waiter.result(timeout_s)
            except FutureTimeout:
                raise TimeoutError(f"nothing newer in {timeout_s} s") from None
            finally:
                self._forget(waiter)
            seen, value, is_ended = self._read()
            if is_ended:
                return
            yield value

    def __iter__(self) -> Iterator[Value]:
        return self.each()

    async def __aiter__(self) -> AsyncIterator[Value]:
        seen = -1
        while True:
            waiter = self._newer_than(seen)
            try:
                await asyncio.wrap_future(waiter)
            finally:
                self._forget(waiter)
            seen, value, is_ended = self._read()
            if is_ended:
                return
            yield value

    def _read(self) -> tuple[int, Value, bool]:
        with self._lock:
            if self._error is not None:
                raise self._error
            return self._version, self._latest, self._is_ended

    def _newer_than(self, seen: int) -> "Future[None]":
        waiter: Future[None] = Future()
        with self._lock:
            if self._is_ended or self._version > seen:
                waiter.set_result(None)
            else:
                self._waiters.append(waiter)
        return waiter

    def _forget(self, waiter: "Future[None]") -> None:
        with self._lock:
            if waiter in self._waiters:
                self._waiters.remove(waiter)

    def _renew(self) -> None:
        """Count a change and wake who waits; the lock is held."""
        self._version += 1
        waiters, self._waiters = self._waiters, []
        for waiter in waiters:
            if waiter.set_running_or_notify_cancel():
                waiter.set_result(None)
        self._grant()

    def _grant(self) -> None:
        """Give the newest value to those who want one like it, and at the end to all; the lock is held."""
        kept = []
        for is_wanted, come in self._wishes:
            if self._is_ended and self._error is not None:
                come.set_exception(self._error)
            elif self._is_ended or is_wanted(self._latest):
                come.set_result(self._latest)
            else:
                kept.append((is_wanted, come))
        self._wishes = kept
