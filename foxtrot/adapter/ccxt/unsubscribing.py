"""Ending a subscription where ccxt has no way to: the venue's own request, on the connection that ccxt has open."""

from typing import Any

import ccxt


def noted_of(exchange: Any, url: str, subscription: str) -> Any:
    """Return what ccxt noted of a subscription, None where there is none."""
    connection = exchange.clients.get(url)
    return None if connection is None else connection.subscriptions.get(subscription)


def noted_names(exchange: Any, url: str) -> tuple[str, ...]:
    """Return what ccxt calls the subscriptions of a connection."""
    connection = exchange.clients.get(url)
    return () if connection is None else tuple(connection.subscriptions)


async def end_subscription(exchange: Any, url: str, names: tuple[str, str], frame: dict[str, Any]) -> None:
    """Send a venue's request, and let ccxt's watcher fail as it does where ccxt unsubscribes itself.

    The answer is not waited for: requests of one connection are served in order, so that a subscription after it is a new one.

    Args:
        exchange: ccxt's.
        url: of the connection; where there is none, nothing is subscribed.
        names: what ccxt calls the subscription, and what it calls its messages.
        frame: the request.
    """
    connection = exchange.clients.get(url)
    if connection is None:
        return
    subscription, messages = names
    connection.subscriptions.pop(subscription, None)
    await connection.send(frame)
    if messages in connection.futures:
        connection.reject(ccxt.UnsubscribeError(f"{exchange.id} {messages}"), messages)
