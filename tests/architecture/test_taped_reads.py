"""What trading and strategies look at beside their events goes through what a tape notes; else a replay would see another world."""

import re

from tests.architecture.source_tree import modules

AROUND = re.compile(
    r"\badapter\.(state\b|health\(|clock\b|cause\b|was_ready\b|get_order_book|get_best_bid_offer|link\b|failed_dials)"
)
"""What an adapter's own threads change at any moment; `state_now` and `weight_spent` are the ways to it."""


def untaped(path: str, text: str) -> list[str]:
    """Looks past the tape."""
    lines = enumerate(text.split("\n"), 1)
    return [f"{path}:{number}: {found[0]}" for number, line in lines if (found := AROUND.search(line))]


def test_trading_and_strategies_look_at_adapters_by_what_a_tape_notes() -> None:
    looked = [one for one in modules() if one.path.startswith(("foxtrot/trading/", "foxtrot/strategy/"))]
    assert len(looked) > 50
    assert [use for module in looked for use in untaped(module.path, module.text)] == []


def test_a_look_past_the_tape_is_caught() -> None:
    assert untaped("a.py", "if account.adapter.state is READY:") == ["a.py:1: adapter.state"]
    assert untaped("a.py", "now = adapter.clock.now_ns()") == ["a.py:1: adapter.clock"]
    assert untaped("a.py", "if adapter.state_now() is READY and adapter.weight_spent():") == []
