"""python-binance, a client we did not write, trades on an exchange on this machine; run by its own interpreter.

It reads {"spot": {"port", "api_key", "api_secret"}, "usdm": {...}} from stdin and prints one JSON object: what it was told.
Nothing but python-binance and the standard library is imported, and no socket of this process may leave the loopback address.
"""

import asyncio
import json
import sys
from decimal import Decimal

LOOPBACK = ("127.0.0.1",)


def stay_here(event, arguments):
    """Refuse every look-up and connection that is not of this machine, whoever asks for it."""
    address = {"socket.connect": 1, "socket.sendto": 1, "socket.getaddrinfo": 0, "socket.gethostbyname": 0}.get(event)
    if address is not None:
        host = arguments[address][0] if event in ("socket.connect", "socket.sendto") else arguments[address]
        if host not in LOOPBACK:
            raise RuntimeError(f"{event} {host!r}: this client must not leave the loopback address")


sys.addaudithook(stay_here)

from binance.async_client import AsyncClient  # noqa: E402  # after the guard
from binance.exceptions import BinanceAPIException  # noqa: E402
from binance.ws.depthcache import DepthCacheManager  # noqa: E402
from binance.ws.reconnecting_websocket import ReconnectingWebsocket  # noqa: E402
from binance.ws.streams import BinanceSocketManager  # noqa: E402

SYMBOL = "BTCUSDT"
ReconnectingWebsocket.TIMEOUT = 2  # also how long a socket on which nothing comes takes to close


def classes(spot, usdm):
    """Return client and socket manager that know these two ports and no other address."""
    nowhere = "http://127.0.0.1:9"

    class Client(AsyncClient):
        API_URL = f"http://127.0.0.1:{spot}/api"
        MARGIN_API_URL = f"http://127.0.0.1:{spot}/sapi"
        FUTURES_URL = f"http://127.0.0.1:{usdm}/fapi"
        FUTURES_DATA_URL = f"http://127.0.0.1:{usdm}/futures/data"
        WS_API_URL = f"ws://127.0.0.1:{spot}/ws-api/v3"
        WS_FUTURES_URL = f"ws://127.0.0.1:{usdm}/ws-fapi/v1"
        WEBSITE_URL = FUTURES_COIN_URL = FUTURES_COIN_DATA_URL = OPTIONS_URL = PAPI_URL = nowhere

    class Sockets(BinanceSocketManager):
        STREAM_URL = f"ws://127.0.0.1:{spot}/"
        FSTREAM_URL = f"ws://127.0.0.1:{usdm}/"
        DSTREAM_URL = "ws://127.0.0.1:9/"

    return Client, Sockets


class Ear:
    """Keeps what a socket of python-binance says until it is closed."""

    def __init__(self, socket):
        self.heard = []
        self._socket = socket
        self._news = asyncio.Event()
        self._ended = False

    async def __aenter__(self):
        await self._socket.__aenter__()
        self._task = asyncio.create_task(self._listen())
        return self

    async def __aexit__(self, *error):
        self._ended = True  # a message that comes just now would swallow the cancellation: wait_for of Python 3.11
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        await self._socket.__aexit__(*error)

    async def until(self, wanted, after=None):
        """Wait until one of the messages, or of those after one, is wanted, and return it."""
        async with asyncio.timeout(10):
            while True:
                for message in self.heard[self.heard.index(after) + 1 if after else 0 :]:
                    if wanted(message):
                        return message
                self._news.clear()
                await self._news.wait()

    async def _listen(self):
        while not self._ended:
            self.heard.append(await self._socket.recv())
            self._news.set()


async def refusal(call):
    """Return the code of what Binance refuses."""
    try:
        await call
    except BinanceAPIException as error:
        return error.code
    return 0


async def trade_spot(client, sockets):
    """Place, look up, cancel, get filled as taker and as maker, and read what came of it."""
    async with Ear(sockets.user_socket()) as ear, Ear(sockets.trade_socket(SYMBOL)) as prints:
        told = {"filters": [row["filterType"] for row in (await client.get_symbol_info(SYMBOL))["filters"]]}
        told["before"] = await client.get_account()
        resting = await client.order_limit_buy(
            symbol=SYMBOL, quantity="0.01", price="50000.00", newClientOrderId="resting"
        )
        told["resting"] = resting
        told["queried"] = await client.get_order(symbol=SYMBOL, orderId=resting["orderId"])
        told["open"] = await client.get_open_orders(symbol=SYMBOL)
        told["cancelled"] = await client.cancel_order(symbol=SYMBOL, origClientOrderId="resting")
        told["taker"] = await client.order_market_buy(symbol=SYMBOL, quantity="0.05", newClientOrderId="taker")
        ticker = await client.get_orderbook_ticker(symbol=SYMBOL)
        told["maker"] = await client.create_order(
            symbol=SYMBOL, side="BUY", type="LIMIT_MAKER", quantity="0.02", newClientOrderId="maker",
            price=f"{Decimal(ticker['bidPrice']) - 5:.2f}",  # the market moves; nearer it might cross
        )  # fmt: skip
        told["maker_fill"] = await ear.until(lambda one: one.get("c") == "maker" and one.get("X") == "FILLED")
        told["balances"] = await ear.until(lambda one: one["e"] == "outboundAccountPosition", told["maker_fill"])
        told["poor"] = await refusal(client.order_market_buy(symbol=SYMBOL, quantity="100"))
        told["unknown"] = await refusal(client.get_order(symbol=SYMBOL, orderId=1 << 40))
        told["coarse"] = await refusal(client.order_limit_buy(symbol=SYMBOL, quantity="0.01", price="50000.001"))
        told["print"] = await prints.until(lambda one: one.get("e") == "trade")
        told["trades"] = await client.get_my_trades(symbol=SYMBOL)
        told["orders"] = await client.get_all_orders(symbol=SYMBOL)
        told["account"] = await client.get_account()
        told["heard"] = ear.heard
    return told


async def trade_usdm(client, sockets):
    """Open a position, guard it with a stop, close it, and read what came of it."""
    async with Ear(sockets.futures_user_socket()) as ear:
        told = {"leverage": await client.futures_change_leverage(symbol=SYMBOL, leverage=5)}
        resting = await client.futures_create_order(
            symbol=SYMBOL, side="BUY", type="LIMIT", timeInForce="GTC", quantity="0.010", price="50000.0",
            newClientOrderId="resting",
        )  # fmt: skip
        told["queried"] = await client.futures_get_order(symbol=SYMBOL, orderId=resting["orderId"])
        told["cancelled"] = await client.futures_cancel_order(symbol=SYMBOL, orderId=resting["orderId"])
        told["opened"] = await client.futures_create_order(
            symbol=SYMBOL, side="BUY", type="MARKET", quantity="0.100", newClientOrderId="opens",
            newOrderRespType="RESULT",
        )  # fmt: skip
        await ear.until(lambda one: one["e"] == "ORDER_TRADE_UPDATE" and one["o"]["X"] == "FILLED")
        told["account_update"] = await ear.until(lambda one: one["e"] == "ACCOUNT_UPDATE")
        told["stop"] = await client.futures_create_order(
            symbol=SYMBOL, side="SELL", type="STOP_MARKET", stopPrice="40000.0", triggerPrice="40000.0",
            quantity="0.050", reduceOnly="true",
        )  # fmt: skip
        told["open_algos"] = await client.futures_get_open_orders(symbol=SYMBOL, conditional=True)
        told["position"] = await client.futures_position_information(symbol=SYMBOL)
        await client.futures_cancel_order(algoId=told["stop"]["algoId"])
        await client.futures_create_order(
            symbol=SYMBOL, side="SELL", type="MARKET", quantity="0.060", reduceOnly="true", newClientOrderId="reduces"
        )
        await ear.until(
            lambda one: one["e"] == "ORDER_TRADE_UPDATE" and (one["o"]["c"], one["o"]["X"]) == ("reduces", "FILLED")
        )
        told["left"] = await client.futures_position_information(symbol=SYMBOL)
        told["trades"] = await client.futures_account_trades(symbol=SYMBOL)
        told["balance"] = await client.futures_account_balance()
        told["account"] = await client.futures_account()
        told["heard"] = ear.heard
    return told


class Follower(DepthCacheManager):
    """python-binance's local book, which also notes the gaps it meets and the snapshots it takes.

    At each start over it applies an event older than its snapshot, so its book is right only from the snapshot's id on.
    """

    gaps = 0
    right_from = 0
    follows = False

    async def _process_depth_message(self, msg):
        # The first snapshot is older than the stream: python-binance takes it before it dials.
        self.gaps += self.follows and msg["U"] > self._last_update_id + 1
        self.follows = self._last_update_id is not None
        return await super()._process_depth_message(msg)

    async def _init_cache(self):
        await super()._init_cache()
        self.right_from = self._last_update_id

    @property
    def is_right(self):
        return self._last_update_id >= self.right_from


async def follow_book(client, sockets):
    """Follow the book until a gap was met and mended, then on for some updates, and return where it stands."""
    before, after = [], []
    manager = Follower(client, SYMBOL, bm=sockets, limit=5000, conv_type=Decimal, ws_interval=100)
    async with asyncio.timeout(20), manager as cache:
        while len(after) < 10:
            book = await cache.recv()
            if manager.is_right:
                (after if manager.gaps else before).append([manager._last_update_id, *levels(book)])
    return {"gaps": manager.gaps, "before": before, "after": after}


def levels(book):
    """Return bids and asks as text."""
    return [[[str(price), str(size)] for price, size in side] for side in (book.get_bids(), book.get_asks())]


async def main():
    told = json.load(sys.stdin)
    client_class, sockets_class = classes(told["spot"]["port"], told["usdm"]["port"])
    spot, usdm = [
        await client_class.create(told[product]["api_key"], told[product]["api_secret"]) for product in ("spot", "usdm")
    ]
    try:
        async with asyncio.TaskGroup() as work:
            traded = work.create_task(trade_spot(spot, sockets_class(spot, max_queue_size=1000)))
            held = work.create_task(trade_usdm(usdm, sockets_class(usdm, max_queue_size=1000)))
            book = work.create_task(follow_book(usdm, sockets_class(usdm, max_queue_size=1000)))
    finally:
        await asyncio.gather(spot.close_connection(), usdm.close_connection())
    json.dump({"spot": traded.result(), "usdm": held.result(), "book": book.result()}, sys.stdout)


def tell_tasks():
    """Say what still waits, so that a test that hangs is told why."""
    for task in asyncio.all_tasks():
        task.print_stack()


async def in_time():
    asyncio.get_running_loop().call_later(30, tell_tasks)
    async with asyncio.timeout(40):
        await main()


asyncio.run(in_time())
