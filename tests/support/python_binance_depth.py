"""python-binance's own DepthCacheManager on a script of snapshots and events; run by its own interpreter, without any socket.

It reads {"snapshots": [...], "events": [...]} from stdin, gives the snapshots in turn whenever one is asked for, and prints one JSON object.
"""

import asyncio
import json
import sys

from binance.ws.depthcache import DepthCacheManager


class Client:
    """Answers for the REST client."""

    def __init__(self, snapshots):
        self.left = list(snapshots)
        self.asked = 0

    async def get_order_book(self, symbol, limit):
        """Return the next snapshot of the script."""
        self.asked += 1
        return self.left.pop(0)


async def play(script):
    """Put the script through a manager; returns what it holds in the end."""
    client = Client(script["snapshots"])
    manager = DepthCacheManager(client, "BTCUSDT", loop=asyncio.get_running_loop(), bm=object())
    await manager._init_cache()
    for event in script["events"]:
        await manager._process_depth_message(event)
    cache = manager.get_depth_cache()
    return {
        "asked": client.asked,
        "last_id": manager._last_update_id,
        "bids": cache.get_bids(),
        "asks": cache.get_asks(),
    }


print(json.dumps(asyncio.run(play(json.load(sys.stdin)))))
