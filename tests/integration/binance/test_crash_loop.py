"""kill -9 at every write, and at any moment, of a run of ten orders over Binance's protocol: one order per intent, every fill once.

A platform is killed at a point, then started again until its ten orders are there. Points are each write and sync of the journal's
files and each write to a socket, before and after it is done, and moments drawn at random; the default run takes a seeded part.
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import product
from pathlib import Path
from queue import SimpleQueue
from random import Random

import pytest

from tests.support.crash_scene import CrashScene, Forge, Point

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs os.fork")
SEED = 20261127
SAMPLE = 40
MOMENTS = 300
TOGETHER = 4
LIFE_S = 1.6
"""How long the run of ten orders takes about; a moment past its end kills nobody, and counts as a run without a crash."""


@pytest.fixture(scope="module")
def forges() -> Iterator[SimpleQueue[Forge]]:
    """Fork servers, to be taken and given back."""
    made = [Forge() for _ in range(TOGETHER)]
    free: SimpleQueue[Forge] = SimpleQueue()
    for forge in made:
        free.put(forge.__enter__())
    yield free
    for forge in made:
        forge.__exit__()


def counted(folder: Path, forges: SimpleQueue[Forge]) -> dict[str, int]:
    """How often an undisturbed run writes, by kind."""
    forge = forges.get()
    try:
        with CrashScene(folder / "undisturbed", forge) as scene:
            assert scene.live()["status"] == 0
            assert scene.faults() == []
            found: dict[str, int] = scene.result()["counted"]
            return found
    finally:
        forges.put(forge)


def points(counts: dict[str, int]) -> list[Point]:
    """Every point of a run."""
    random = Random(SEED)
    calls = [
        Point(kind, at, after) for kind, most in counts.items() for at in range(1, most + 1) for after in (False, True)
    ]
    moments = random.sample(range(50, int(LIFE_S * 1_000)), MOMENTS)
    return calls + [Point("time", moment / 1_000) for moment in moments]


def crash(folder: Path, point: Point, forges: SimpleQueue[Forge], killed: list[Point]) -> list[str]:
    """Kill a platform at a point, let the next life finish, and return what is wrong; `killed` takes the points that were reached."""
    forge = forges.get()
    try:
        with CrashScene(folder / point.name, forge) as scene:
            first = scene.live(point)
            if first["status"] not in (0, -9):
                return [f"the first life ended with {first}"]
            killed += [point] if first["status"] else []
            ended = scene.live() if first["status"] else first
            if ended["status"]:
                return [f"the second life ended with {ended}: {_tail(folder / point.name, scene.lives)}"]
            return scene.faults()
    finally:
        forges.put(forge)


def wrong(folder: Path, chosen: list[Point], forges: SimpleQueue[Forge]) -> dict[str, list[str]]:
    """The points after which something is wrong; most of them must have been reached."""
    killed: list[Point] = []
    with ThreadPoolExecutor(TOGETHER) as pool:
        found = pool.map(lambda point: crash(folder, point, forges, killed), chosen)
        faulty = {point.name: faults for point, faults in zip(chosen, found, strict=True) if faults}
    print(f"{len(killed)} of {len(chosen)} points reached, {len(faulty)} faulty")
    assert len(killed) > 0.8 * len(chosen)
    return faulty


def _tail(folder: Path, life: int) -> str:
    path = folder / f"log{life}"
    return path.read_text("utf-8")[-600:] if path.exists() else "no log"


@pytest.mark.timeout(600)
def test_ten_orders_survive_a_part_of_the_points(tmp_path: Path, forges: SimpleQueue[Forge]) -> None:
    every = points(counted(tmp_path, forges))
    kinds = [[point for point in every if point.kind == kind] for kind in ("journal", "socket", "time")]
    random = Random(SEED)
    chosen = [point for mine, share in zip(kinds, (16, 12, 12), strict=True) for point in random.sample(mine, share)]
    assert len(chosen) == SAMPLE
    assert wrong(tmp_path, chosen, forges) == {}


@pytest.mark.slow
@pytest.mark.timeout(7200)
def test_ten_orders_survive_every_point(tmp_path: Path, forges: SimpleQueue[Forge]) -> None:
    every = points(counted(tmp_path, forges))
    print(f"{len(every)} points")
    assert wrong(tmp_path, every, forges) == {}


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_ten_orders_survive_a_platform_that_is_killed_again_and_again(
    tmp_path: Path, forges: SimpleQueue[Forge]
) -> None:
    """Twelve lives in a row, each killed a little later than it began to trade."""
    forge = forges.get()
    random = Random(SEED)
    with CrashScene(tmp_path / "again", forge) as scene:
        for _ in range(12):
            scene.live(Point("time", random.uniform(0.3, 1.0)))
        assert scene.live()["status"] == 0, _tail(tmp_path / "again", scene.lives)
        assert scene.faults() == []
    forges.put(forge)


def test_the_points_are_enough() -> None:
    every = points({"journal": 100, "socket": 20})
    assert len(every) == len(list(product(range(120), (False, True)))) + MOMENTS
    assert len({point.name for point in every}) == len(every)
