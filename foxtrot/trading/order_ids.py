"""Order ids: unique across restarts without any file, and readable back to their strategy.

Layout, at most 32 characters of [A-Za-z0-9_-]: role + "-" + tag (1 to 11) + "-" + run id (10) + "-" + counter (base 36).
The role is "F" for an order that may increase its owner's position and "R" for one that can only reduce it: whoever reads an id
at a venue knows whether to leave the order alone, though everything else is lost.
"""

import hashlib
import re
from collections.abc import Iterable, Iterator

from foxtrot.domain.errors import ConfigError, InvariantBroken

PREFIX = "F"
REDUCING_PREFIX = "R"
TAG_LENGTH = 11
RUN_LENGTH = 10
MAX_LENGTH = 32
_DIGITS = "0123456789abcdefghijklmnopqrstuvwxyz"
_PATTERN = re.compile(r"[FR]-([A-Za-z0-9_]{1,11})-([0-9a-z]{10})-([0-9a-z]{1,7})")


def base36(number: int) -> str:
    """Return a non-negative integer in base 36."""
    digits = ""
    while number >= 36:
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return _DIGITS[number] + digits


def make_run_id(now_ns: int, random_bits: int) -> str:
    """Return ten characters: milliseconds since 1970 in base 36 (8, good until 2059) and 2 random ones.

    Two starts within one millisecond get different ids with odds of 1,295 in 1,296; later starts always do.
    """
    return base36(now_ns // 1_000_000).rjust(8, "0")[-8:] + base36(random_bits % 1296).rjust(2, "0")


def strategy_tag(strategy_id: str) -> str:
    """Return the part of an order id that names a strategy: its id, or its start and a hash when it is long or odd."""
    if len(strategy_id) <= TAG_LENGTH and re.fullmatch(r"[A-Za-z0-9_]+", strategy_id):
        return strategy_id
    clean = re.sub(r"[^A-Za-z0-9_]", "_", strategy_id)[:6]
    digest = int.from_bytes(hashlib.sha256(strategy_id.encode()).digest()[:4], "big")
    return f"{clean}{base36(digest)[-5:].rjust(5, '0')}"


class OrderIds:
    """A counter under one run id.

    Thread: the dispatcher's.
    """

    def __init__(self, run_id: str) -> None:
        if not re.fullmatch(r"[0-9a-z]{10}", run_id):
            raise InvariantBroken(f"run id {run_id!r} must be ten characters of [0-9a-z]; use make_run_id")
        self.run_id = run_id
        self._counter = 0
        self._heads: dict[str, str] = {}

    def next(self, strategy_id: str) -> str:
        """Return an id never returned before, by this run or any other."""
        head = self._heads.get(strategy_id)
        if head is None:
            head = self._heads[strategy_id] = f"{PREFIX}-{strategy_tag(strategy_id)}-{self.run_id}-"
        self._counter += 1
        return head + base36(self._counter)


class StrategyIds:
    """The strategies whose order ids are told apart by their tags.

    Thread: the dispatcher's.
    """

    def __init__(self) -> None:
        self._by_tag: dict[str, str] = {}

    def add(self, strategy_id: str) -> None:
        """Add a strategy; adding it again does nothing.

        Raises:
            ConfigError: another strategy has the same tag in its order ids.
        """
        tag = strategy_tag(strategy_id)
        known = self._by_tag.setdefault(tag, strategy_id)
        if known != strategy_id:
            raise ConfigError(f"strategies {known} and {strategy_id} would share order ids ({tag}); rename one of them")

    def owner_of(self, order_id: str) -> str | None:
        """Return which strategy an order id was made for, or None if it is not ours or of none of them."""
        match = _PATTERN.fullmatch(order_id)
        return None if match is None else self._by_tag.get(match[1])

    def __contains__(self, strategy_id: object) -> bool:
        return strategy_id in self._by_tag.values()

    def __iter__(self) -> Iterator[str]:
        return iter(self._by_tag.values())

    def __len__(self) -> int:
        return len(self._by_tag)


def owner_of(order_id: str, strategy_ids: Iterable[str]) -> str | None:
    """Return which of the strategies an order id was made for, or None if it is not ours or of none of them."""
    match = _PATTERN.fullmatch(order_id)
    if match is None:
        return None
    return next((name for name in strategy_ids if strategy_tag(name) == match[1]), None)


def is_ours(order_id: str) -> bool:
    """Tell whether an order id has Foxtrot's layout."""
    return _PATTERN.fullmatch(order_id) is not None


def reducing_id(order_id: str) -> str:
    """Return an id with the role of an order that can only reduce a position."""
    return REDUCING_PREFIX + order_id[1:]


def reduces_by_id(order_id: str) -> bool:
    """Tell whether an id is ours and has the role of an order that can only reduce a position."""
    return order_id.startswith(REDUCING_PREFIX) and is_ours(order_id)
