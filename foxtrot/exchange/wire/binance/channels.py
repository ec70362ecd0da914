"""The ways by which an account hears of itself: ws-api subscriptions and connections that carry a listenKey."""

import hashlib

import msgspec

from foxtrot.exchange.wire.binance.api_error import ApiError
from foxtrot.exchange.wire.binance.connection import Connection
from foxtrot.exchange.wire.binance.surface_settings import SurfaceSettings
from foxtrot.exchange.wire.binance.venue_side import VenueSide

_SECOND_NS = 1_000_000_000
_MS_NS = 1_000_000


class ListenKey(msgspec.Struct):
    """A listenKey and how long it is good for.

    Thread: exchange-io.
    """

    key: str
    account: str
    expires_ns: int


class Channel:
    """One way out: who it belongs to, where it goes and how events are wrapped there.

    Thread: exchange-io.
    """

    __slots__ = ("account", "connection", "events", "held", "key", "opened_ns", "prefix", "subscription")

    def __init__(self, connection: Connection, account: str, opened_ns: int) -> None:
        self.connection = connection
        self.account = account
        self.opened_ns = opened_ns
        self.key = ""
        self.subscription = -1
        self.prefix = ""
        self.events: frozenset[str] = frozenset()
        self.held: list[str] | None = []

    def take(self, event: object, text: str) -> None:
        """Send one event, or keep it while the first ones are held back.

        Source: Binance spot API, User Data Streams; USDⓈ-M Futures, User Data Streams (combined: {"stream", "data"}).
        """
        if self.events and event not in self.events:
            return
        wrapped = f"{self.prefix}{text}}}" if self.prefix else text
        if self.held is None:
            self.connection.send(wrapped)
        else:
            self.held.append(wrapped)


class UserChannels:
    """Who hears which account, the listenKeys, and the words said when one ends.

    The first events after a subscription are held back for a moment, so that a client has read the answer before an event
    comes (Binance's network does that by itself); `tick` lets them go.

    Thread: exchange-io.
    """

    def __init__(self, side: VenueSide, settings: SurfaceSettings) -> None:
        self._side = side
        self._settings = settings
        self._by_account: dict[str, list[Channel]] = {}
        self._by_connection: dict[int, list[Channel]] = {}
        self._keys: dict[str, ListenKey] = {}
        self._held: list[Channel] = []
        self._made = 0
        self._next_subscription = 0

    def deliver(self, account: str, payload: dict[str, object]) -> None:
        """Send a user-data event to everyone who listens to the account; `payload["e"]` is its type.

        Source: Binance spot API, User Data Streams; USDⓈ-M Futures, User Data Streams.
        """
        channels = self._by_account.get(account)
        if channels:
            text = msgspec.json.encode(payload).decode()
            for channel in tuple(channels):
                channel.take(payload["e"], text)

    def subscribe(self, connection: Connection, account: str) -> int:
        """Subscribe a ws-api connection to an account and return the subscriptionId.

        Source: Binance spot API, WebSocket API, userDataStream.subscribe.
        """
        for channel in self._by_connection.get(connection.number, ()):
            if channel.account == account and channel.subscription >= 0:
                return channel.subscription
        channel = Channel(connection, account, self._side.now_ns())
        channel.subscription = self._next_subscription
        channel.prefix = f'{{"subscriptionId":{channel.subscription},"event":'
        self._next_subscription += 1
        self._add(channel)
        return channel.subscription

    def unsubscribe(self, connection: Connection, subscription: int | None) -> None:
        """End one ws-api subscription of a connection, or all of them.

        Source: Binance spot API, WebSocket API, userDataStream.unsubscribe.
        """
        for channel in list(self._by_connection.get(connection.number, ())):
            if channel.subscription >= 0 and subscription in (None, channel.subscription):
                self._drop(channel)

    def subscriptions(self, connection: Connection) -> list[int]:
        """Return the subscriptionIds of a connection.

        Source: Binance spot API, WebSocket API, session.subscriptions.
        """
        return [one.subscription for one in self._by_connection.get(connection.number, ()) if one.subscription >= 0]

    def is_key(self, text: str) -> bool:
        """Tell whether a text is a listenKey that is good now.

        Source: Binance spot API, User Data Streams: /ws/<listenKey>.
        """
        return text in self._keys

    def attach(self, connection: Connection, key: str, events: frozenset[str], is_combined: bool) -> None:
        """Let a stream connection hear the account of a listenKey; an unknown key is accepted and hears nothing.

        Source: USDⓈ-M Futures, User Data Streams: /private/ws?listenKey=K&events=A/B; combined streams are wrapped.
        """
        listen_key = self._keys.get(key)
        known = self._by_connection.get(connection.number, ())
        if listen_key is None or any(channel.key == key for channel in known):
            return
        channel = Channel(connection, listen_key.account, self._side.now_ns())
        channel.key, channel.events = key, events
        channel.prefix = f'{{"stream":"{key}","data":' if is_combined else ""
        self._add(channel)

    def detach(self, connection: Connection, key: str) -> None:
        """End what a stream connection hears by a listenKey.

        Source: Binance spot API, WebSocket Streams, UNSUBSCRIBE.
        """
        for channel in list(self._by_connection.get(connection.number, ())):
            if channel.key == key:
                self._drop(channel)

    def closed(self, connection: Connection) -> None:
        """Forget a connection.

        Source: none; the socket is gone.
        """
        for channel in list(self._by_connection.get(connection.number, ())):
            self._drop(channel)

    def create_key(self, account: str) -> str:
        """Return the active listenKey of an account, its life begun anew, or a fresh one.

        Source: USDⓈ-M Futures, Start User Data Stream; Binance spot API, POST /api/v3/userDataStream.
        """
        for known in self._keys.values():
            if known.account == account:
                known.expires_ns = self._end_ns()
                return known.key
        self._made += 1
        seed = f"{self._side.product}:{account}:{self._made}:{self._side.now_ns()}"
        key = hashlib.sha256(seed.encode()).hexdigest()
        self._keys[key] = ListenKey(key, account, self._end_ns())
        return key

    def extend_key(self, account: str, key: str) -> str:
        """Begin the life of a listenKey anew ("": the account's own) and return it.

        Source: USDⓈ-M Futures, Keepalive User Data Stream; Binance spot API, PUT /api/v3/userDataStream.

        Raises:
            ApiError: -1125, there is no such key.
        """
        found = self._own_key(account, key)
        found.expires_ns = self._end_ns()
        return found.key

    def delete_key(self, account: str, key: str) -> None:
        """End a listenKey ("": the account's own) without a word.

        Source: USDⓈ-M Futures, Close User Data Stream; Binance spot API, DELETE /api/v3/userDataStream.

        Raises:
            ApiError: -1125, there is no such key.
        """
        found = self._own_key(account, key)
        del self._keys[found.key]
        for channel in [one for one in self._by_account.get(found.account, ()) if one.key == found.key]:
            self._drop(channel)

    def expire_listen_key(self, account: str) -> bool:
        """End the listenKey of an account as if its hour were over; tell whether it had one.

        Source: USDⓈ-M Futures, Event: User Data Stream Expired.
        """
        keys = [known for known in self._keys.values() if known.account == account]
        for known in keys:
            self._expire(known, self._side.now_ns())
        return bool(keys)

    def terminate_user_stream(self, account: str) -> int:
        """End the ws-api subscriptions of an account by the venue's will; return how many there were.

        Source: Binance spot API, User Data Streams, Event Stream Terminated.
        """
        ended = [one for one in self._by_account.get(account, ()) if one.subscription >= 0]
        text = f'{{"e":"eventStreamTerminated","E":{self._side.now_ns() // _MS_NS}}}'
        for channel in ended:
            self._release(channel)
            channel.events = frozenset()
            channel.take("eventStreamTerminated", text)
            self._drop(channel)
        return len(ended)

    def tick(self, now_ns: int) -> None:
        """Let held events go, and end the listenKeys whose time is over.

        Source: USDⓈ-M Futures, User Data Streams: a listenKey is good for 60 minutes.
        """
        if self._held:
            hold_ns = self._settings.first_event_hold_ms * _MS_NS
            ready = [one for one in self._held if not one.opened_ns <= now_ns < one.opened_ns + hold_ns]
            for channel in ready:
                self._release(channel)
        for known in [one for one in self._keys.values() if one.expires_ns <= now_ns]:
            self._expire(known, now_ns)

    def _expire(self, known: ListenKey, now_ns: int) -> None:
        del self._keys[known.key]
        text = f'{{"e":"listenKeyExpired","E":{now_ns // _MS_NS},"listenKey":"{known.key}"}}'
        for channel in [one for one in self._by_account.get(known.account, ()) if one.key == known.key]:
            self._release(channel)
            channel.events = frozenset()
            channel.take("listenKeyExpired", text)
            self._drop(channel)
            if self._settings.close_expired_listen_key:
                channel.connection.close(1000, "listenKey expired")

    def _own_key(self, account: str, key: str) -> ListenKey:
        for known in self._keys.values():
            if known.account == account and key in ("", known.key):
                return known
        raise ApiError(-1125, "This listenKey does not exist.")

    def _end_ns(self) -> int:
        return self._side.now_ns() + int(self._settings.listen_key_life_s * _SECOND_NS)

    def _add(self, channel: Channel) -> None:
        self._by_account.setdefault(channel.account, []).append(channel)
        self._by_connection.setdefault(channel.connection.number, []).append(channel)
        self._held.append(channel)

    def _drop(self, channel: Channel) -> None:
        number, account = channel.connection.number, channel.account
        self._by_account[account].remove(channel)
        self._by_connection[number].remove(channel)
        if not self._by_connection[number]:
            del self._by_connection[number]
        if channel in self._held:
            self._held.remove(channel)

    def _release(self, channel: Channel) -> None:
        if channel.held is None:
            return
        held, channel.held = channel.held, None
        self._held.remove(channel)
        for text in held:
            channel.connection.send(text)
