"""Fills of accounts for which Futu tells none: derived from how much of an order is dealt, and at which average price.

Each growth of an order's dealt quantity is one fill: its size is the growth, its price what the growth adds to the cost. Where
several real fills grew together, that price is their average and may lie between two legal prices; the growth is then told as two
fills, at the grid's prices below and above it, which cost as much as the growth did, and whose ids end in "avg". Ids are made of the order's number at Futu and the dealt quantity, and what was derived is
written to a file before it is told, so that a later run derives the same fills and no other.
"""

import os
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from importlib import import_module
from pathlib import Path
from typing import Final
from urllib.parse import quote

import msgspec
from loguru import logger

from foxtrot.adapter.exact_sums import EXACT
from foxtrot.adapter.futu.report_codec import OrderRow
from foxtrot.domain.errors import InputError
from foxtrot.domain.instrument import Instrument

REMEMBERED: Final = 20_000
"""How many orders with fills are remembered; the oldest go first."""
FOLDER: Final = "futu"
AVERAGED: Final = "avg"
SECOND_NS: Final = 1_000_000_000
SAME_S: Final = 2
"""By how much the times may differ at which pushes and lists say that one order was placed: one may be rounded."""
DECIMALS: Final = 3
"""Futu tells prices with three decimals at least. Source: Trd_Common.proto, Order ("3位精度")."""
SHOWN: Final = 12
ZERO: Final = Decimal(0)
_DOUBLE: Final = Decimal(2) ** -52


class Step(msgspec.Struct, frozen=True):
    """One fill: an order's dealt quantity grew by `size` to `dealt`; `placed_s` is the second in which the order was placed."""

    order: str
    placed_s: int
    dealt: Decimal
    size: Decimal
    price: Decimal
    on_grid: bool
    time_ns: int

    @property
    def trade_id(self) -> str:
        """Return the id of the fill, the same in every run."""
        return f"{self.order}-{self.dealt.normalize(EXACT):f}{'' if self.on_grid else AVERAGED}"


class DerivedTrades:
    """Derives the fills of one account.

    Where there is no `home` they are forgotten at the end: what a later run derives of an order that was partly dealt before is
    then one fill of the whole.

    Thread: futu-io.
    Blocks: a fill is written to the disk before it is returned; while another process of the home writes one.
    """

    def __init__(self, home: Path | None, account: str) -> None:
        self._path = None if home is None else home / FOLDER / f"derived-{quote(account, safe='')}.jsonl"
        self._orders: OrderedDict[str, list[Step]] = OrderedDict()
        self._seen: tuple[int, int] = (0, 0)
        if self._path is not None and self._path.exists():
            with self._alone(self._path):
                pass

    def steps(self, row: OrderRow, instrument: Instrument) -> tuple[Step, ...]:
        """Return all fills of an order up to what a report of it says; an older report adds nothing."""
        known = self._known(row)
        dealt = known[-1].dealt if known else ZERO
        if row.filled > dealt:
            if self._path is None:
                self._grow(row, instrument)
            else:
                with self._alone(self._path):
                    self._grow(row, instrument)
        return tuple(self._known(row))

    def _grow(self, row: OrderRow, instrument: Instrument) -> None:
        known = self._known(row)
        if known and row.filled <= known[-1].dealt:  # another process has derived it
            return
        grown = _growth(row, instrument, known)
        self._orders[row.venue_order_id] = [*known, *grown]
        self._make_room()
        self._write(grown)

    @contextmanager
    def _alone(self, path: Path) -> Iterator[None]:
        """Hold the file, with what other processes of the home, such as a guardian, have derived since it was seen last."""
        path.parent.mkdir(parents=True, exist_ok=True)
        with _held(path.parent):
            if path.exists() and _sign(path) != self._seen:
                self._orders.clear()
                self._load(path)
            try:
                yield
            finally:
                self._seen = _sign(path) if path.exists() else self._seen

    def _known(self, row: OrderRow) -> list[Step]:
        known = self._orders.get(row.venue_order_id, [])
        placed_s = row.created_ns // SECOND_NS
        if known and placed_s and known[0].placed_s and abs(known[0].placed_s - placed_s) > SAME_S:
            return []  # a venue that begins anew gives its numbers again
        return known

    def _make_room(self) -> None:
        while len(self._orders) > REMEMBERED:
            self._orders.popitem(last=False)

    def _write(self, steps: tuple[Step, ...]) -> None:
        if self._path is None:
            return
        with self._path.open("ab") as file:
            file.write(b"".join(msgspec.json.encode(step) + b"\n" for step in steps))
            file.flush()
            os.fsync(file.fileno())

    def _load(self, path: Path) -> None:
        """Read what earlier runs derived; the last line may have been cut short by the end of one, and is then mended."""
        lines = path.read_bytes().split(b"\n")
        whole = [line for line in lines if line]
        for number, line in enumerate(whole, 1):
            try:
                step = msgspec.json.decode(line, type=Step)
            except msgspec.MsgspecError as error:
                if number < len(whole):
                    raise InputError(f"{path}, line {number} cannot be read ({error}); move the file away") from None
                logger.warning("{}: the last line was cut short and is left out", path)
                break
            before = self._orders.get(step.order, [])
            fits = before and before[0].placed_s == step.placed_s
            self._orders[step.order] = [*before, step] if fits else [step]
        self._make_room()
        self._rewrite(path)

    def _rewrite(self, path: Path) -> None:
        """Write the file anew with what is remembered of it."""
        rows = [msgspec.json.encode(step) + b"\n" for steps in self._orders.values() for step in steps]
        beside = path.with_suffix(".new")
        with beside.open("wb") as file:
            file.writelines(rows)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)


def _sign(path: Path) -> tuple[int, int]:
    """Return what is another once somebody else has written to a file."""
    found = path.stat()
    return found.st_ino, found.st_size


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Hold a folder, which ends with the process too; where the system has no such locks nobody is kept out."""
    if os.name != "posix":
        yield
        return
    fcntl, descriptor = import_module("fcntl"), os.open(folder, os.O_RDONLY)
    try:
        with suppress(OSError):
            fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _growth(row: OrderRow, instrument: Instrument, known: list[Step]) -> tuple[Step, ...]:
    dealt, cost = ZERO, ZERO
    for step in known:
        dealt = step.dealt
        cost = EXACT.add(cost, EXACT.multiply(step.size, step.price))
    size = EXACT.subtract(row.filled, dealt)
    exact = EXACT.divide(EXACT.subtract(EXACT.multiply(row.filled, row.average), cost), size)
    if exact <= 0:  # averages that contradict each other
        exact = row.average
    slack = EXACT.divide(EXACT.multiply(row.filled, _rounding(row.average)), size)
    price, on_grid = _on_grid(exact, slack, instrument)
    parts = ((size, price),) if on_grid else _split(size, exact, instrument)
    if not on_grid:
        words = "{} of order {} were dealt at {} on average, which is no price of {}: several fills in one"
        logger.info(words, size, row.venue_order_id, price, instrument.instrument_id)
    placed_s, steps = known[0].placed_s if known else row.created_ns // SECOND_NS, list[Step]()
    for part, at in parts:
        dealt = EXACT.add(dealt, part)
        steps.append(Step(row.venue_order_id, placed_s, dealt, part, at, on_grid, row.updated_ns or row.created_ns))
    return tuple(steps)


def _split(size: Decimal, average: Decimal, instrument: Instrument) -> tuple[tuple[Decimal, Decimal], ...]:
    """Return sizes and prices that cost together what a size costs at an average: no price off the grid can be counted."""
    prices, quantities = instrument.price_grid, instrument.quantity_grid
    below = prices.round(average, "down")
    whole = quantities.from_decimal(size)
    dearer = round(whole * EXACT.divide(EXACT.subtract(average, prices.to_decimal(below)), prices.step))
    parts = (whole - dearer, below), (dearer, below + 1)
    return tuple((quantities.to_decimal(units), prices.to_decimal(price)) for units, price in parts if units)


def _rounding(average: Decimal) -> Decimal:
    """Return by how much a told average may miss the true one: half of its last decimal, but of the third at most, and a double's error."""
    exponent = average.as_tuple().exponent
    decimals = max(DECIMALS, -exponent if isinstance(exponent, int) else DECIMALS)
    return Decimal(5).scaleb(-decimals - 1) + average * _DOUBLE


def _on_grid(exact: Decimal, slack: Decimal, instrument: Instrument) -> tuple[Decimal, bool]:
    """Return the legal price that a price must have been, or the price itself when it is none."""
    units = instrument.round_price_units(exact)
    legal = instrument.price_grid.to_decimal(units)
    quarter = instrument.price_grid.step * instrument.step_units(units) / 4
    if abs(legal - exact) <= min(slack, quarter):
        return legal, True
    return round(exact, SHOWN), False
