"""An order's life in words, for a terminal and for the clipboard."""

from datetime import UTC, datetime

from foxtrot.app.order_life import OrderStory, Step


def story_lines(story: OrderStory) -> list[str]:
    """Return the life of an order in lines, as `foxtrot order` prints it."""
    because = f" ({story.reason})" if story.reason else ""
    lines = [
        f"order {story.order_id} of {story.strategy_id}: {story.instrument_id} on {story.account}",
        ", ".join(f"{name} {value}" for name, value in story.order.items()),
        f"it is {story.status}{because}; {story.filled!r} filled",
    ]
    if story.pair_id:
        lines.append(
            f"it is one of a pair with {story.pair_id}: what one fills the other cannot, and the end of one is the end of both"
        )
    if story.strategy_hash:
        lines.append(f"strategy file SHA-256 {story.strategy_hash}")
    known = story.arrival
    if known is not None:
        book = f", book {known.book_state}" if known.book_state else ""
        cause = f"event {known.sequence} {known.event}" if known.event else "no event"
        lines.append(f"arrival: {cause}; bid {known.bid!r}, ask {known.ask!r}, last {known.last!r}{book}")
    return [*lines, "", *(_step(one) for one in story.steps), *_legs(story), *_cost(story)]


def _step(step: Step) -> str:
    moment = datetime.fromtimestamp(step.time_ns // 1_000_000_000, UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{step.time_ns % 1_000_000_000 // 1000:06d}  {step.what:<8}  {step.detail}"


def _legs(story: OrderStory) -> list[str]:
    width = max((len(leg.name) for leg in story.legs), default=0)
    return ["", *(f"{leg.name:<{width}}  {leg.ms:>12,.3f} ms" for leg in story.legs)] if story.legs else []


def _cost(story: OrderStory) -> list[str]:
    lines, cost = [], story.slippage
    if cost is not None:
        for what, price, ticks, money in (
            ("the other side", cost.touch, cost.touch_ticks, cost.touch_money),
            ("the middle", cost.mid, cost.mid_ticks, cost.mid_money),
        ):
            counted = "? ticks" if ticks is None else f"{ticks:+,.2f} ticks"
            lines.append(f"slippage against {what} at arrival ({price!r}): {counted}, {money:+f} {cost.currency}")
    if story.fees:
        lines.append("fees: " + ", ".join(f"{amount} {asset}" for asset, amount in story.fees.items()))
    return ["", *lines] if lines else []
