"""What the hub offers and who reads what: facts in, frames to the readers out."""

from collections.abc import Callable, Iterable

from foxtrot.core.clock import Clock
from foxtrot.core.notices import AdapterStatus, BookStateChanged, ContractsLoaded, Gap, RequestFailed
from foxtrot.domain.errors import ConfigError, OffGrid
from foxtrot.domain.instrument import Instrument
from foxtrot.domain.market import DepthChange, DepthData, TickData
from foxtrot.hub.channel import Channel, Key, make_channel
from foxtrot.hub.exact_text import unit_text
from foxtrot.hub.offer import Offer
from foxtrot.hub.peer import Peer
from foxtrot.hub.settings import OfferSettings
from foxtrot.hub.wire import Offered, SubscribeAsk, Subscribed

_BOOK_FACTS = frozenset({DepthChange.__name__, DepthData.__name__})


class Refusal(ConfigError):
    """What is asked for cannot be had; `code` says which way."""

    code = "refused"


class NotYet(Refusal):
    """What is asked for cannot be had yet: ask again later."""

    code = "not_yet"


class ReadAlready(Refusal):
    """What is asked for is read already, as another stream of the same client."""

    code = "twice"


class Board:
    """Offers by instrument, channels by what is asked for.

    Thread: hub-io.

    Args:
        offers: the instruments.
        clock: stamps frames and tells ages.
        need_snapshot: asks an offer's adapter for a fresh snapshot.
    """

    def __init__(self, offers: Iterable[OfferSettings], clock: Clock, need_snapshot: Callable[[Offer], None]) -> None:
        self.offers = {one.instrument_id: Offer(one, need_snapshot) for one in offers}
        self.channels: dict[int, Channel] = {}
        self._clock = clock
        self._by_key: dict[Key, Channel] = {}
        self._by_instrument: dict[str, list[Channel]] = {name: [] for name in self.offers}
        self._last_number = 0

    # --- facts ------------------------------------------------------------------------------------------------------

    def hear(self, facts: Iterable[object]) -> None:
        """Take facts in their order, then tell the readers once what came of all of them."""
        touched: dict[str, None] = {}
        for fact in facts:
            touched.update(dict.fromkeys(self._take(fact)))
        for name in touched:
            for channel in self._by_instrument[name]:
                channel.publish()

    def distrust(self, cause: str) -> None:
        """Believe no book until it has been fetched anew: facts may have been lost."""
        for name, offer in self.offers.items():
            offer.lose(cause)
            for channel in self._by_instrument[name]:
                channel.publish()

    def _take(self, fact: object) -> Iterable[str]:
        """Take a fact; returns the instruments it is about."""
        if isinstance(fact, DepthChange | DepthData | TickData | Gap):
            offer = self.offers.get(fact.instrument_id)
            if offer is None:
                return ()
            _take_market(offer, fact)
            return (offer.instrument_id,)
        return self._take_notice(fact)

    def _take_notice(self, fact: object) -> Iterable[str]:
        if isinstance(fact, AdapterStatus):
            return self._each(fact.account, lambda offer: offer.hear_link(fact))
        if isinstance(fact, ContractsLoaded):
            listed = {one.instrument_id: one for one in fact.instruments}
            touched = self._each(
                fact.account, lambda offer: offer.list_instrument(listed.get(offer.instrument_id), listed)
            )
            self._regrid(touched)
            return touched
        if isinstance(fact, BookStateChanged):
            offer = self.offers.get(fact.instrument_id)
            if offer is not None and offer.account == fact.account:
                offer.hear_state(fact.state, fact.cause)
                return (offer.instrument_id,)
        elif isinstance(fact, RequestFailed):
            named = set(fact.what.split())
            for name, offer in self.offers.items():
                if offer.account == fact.account and name in named:
                    offer.hear_failure(f"{fact.what}: {fact.error}")
        return ()

    def _regrid(self, names: list[str]) -> None:
        """Let the channels of instruments whose steps have changed tell the new ones."""
        for name in names:
            instrument = self.offers[name].instrument
            for channel in self._by_instrument[name]:
                if instrument is not None and channel.grids != (instrument.price_grid, instrument.quantity_grid):
                    self._forget_key(channel)
                    channel.regrid(instrument)
                    self._by_key.setdefault(channel.key, channel)

    def _forget_key(self, channel: Channel) -> None:
        if self._by_key.get(channel.key) is channel:
            del self._by_key[channel.key]

    def _each(self, account: str, act: Callable[[Offer], None]) -> list[str]:
        found = [offer for offer in self.offers.values() if offer.account == account]
        for offer in found:
            act(offer)
        return [offer.instrument_id for offer in found]

    # --- readers ----------------------------------------------------------------------------------------------------

    def subscribe(self, peer: Peer, ask: SubscribeAsk) -> Subscribed:
        """Let a client read what it asks for.

        Raises:
            Refusal: what it asks for is not offered; the text names the value and the fix.
        """
        offer, instrument = self._offer(ask.instrument)
        levels, step = (0, 0) if ask.kind == "ticker" else (_levels(offer, ask.levels), _step(instrument, ask.group))
        key = (ask.kind, ask.instrument, levels, step)
        channel = self._by_key.get(key)
        if channel is not None and channel.number in peer.seats:
            raise ReadAlready(
                f"{ask.kind} of {ask.instrument} like this is stream {channel.number} already; read that, or unsubscribe it first"
            )
        if channel is None:
            channel = self._open(key, offer, instrument)
        peer.answer(subscribed := _described(ask, channel.number, instrument, (levels, step)))
        peer.join(channel)
        return subscribed

    def unsubscribe(self, peer: Peer, number: int) -> None:
        """Let a client read a stream no more.

        Raises:
            Refusal: it does not read it.
        """
        if number not in peer.seats:
            known = ", ".join(map(str, sorted(peer.seats))) or "none"
            raise Refusal(f"stream {number} is none of yours; yours: {known}")
        self._part(peer, number)

    def leave(self, peer: Peer) -> None:
        """Let a client that is gone read nothing."""
        for number in tuple(peer.seats):
            self._part(peer, number)

    def status(self) -> tuple[Offered, ...]:
        """Return every offer as it is."""
        return tuple(self._row(offer) for offer in self.offers.values())

    # --- inside -----------------------------------------------------------------------------------------------------

    def _offer(self, name: str) -> tuple[Offer, Instrument]:
        offer = self.offers.get(name)
        if offer is None:
            raise Refusal(f"instrument {name!r} is not offered here; offered: {', '.join(self.offers)}")
        if offer.instrument is None:
            raise NotYet(f"instrument {name!r} cannot be had yet: {offer.cause}; ask again later")
        return offer, offer.instrument

    def _open(self, key: Key, offer: Offer, instrument: Instrument) -> Channel:
        self._last_number += 1
        channel = make_channel(self._last_number, key, offer, instrument, self._clock)
        self.channels[channel.number] = self._by_key[key] = channel
        self._by_instrument[offer.instrument_id].append(channel)
        return channel

    def _part(self, peer: Peer, number: int) -> None:
        channel = peer.leave(number)
        if not channel.readers:
            del self.channels[number]
            self._forget_key(channel)
            self._by_instrument[channel.offer.instrument_id].remove(channel)

    def _row(self, offer: Offer) -> Offered:
        channels = self._by_instrument[offer.instrument_id]
        readers: set[object] = {reader for channel in channels for reader in channel.readers}
        age_ms = (self._clock.now_ns() - offer.heard_ns) / 1e6 if offer.heard_ns else None
        return Offered(
            instrument=offer.instrument_id,
            account=offer.account,
            adapter=offer.adapter,
            link=str(offer.link),
            state=offer.state,
            cause=offer.cause,
            source=offer.source,
            levels=offer.settings.levels,
            update_id=str(offer.update_id),
            age_ms=age_ms,
            snapshots=offer.snapshots,
            changes=offer.changes,
            gaps=offer.gaps,
            streams=len(channels),
            clients=len(readers),
        )


def _take_market(offer: Offer, fact: DepthChange | DepthData | TickData | Gap) -> None:
    if isinstance(fact, DepthChange):
        offer.apply(fact)
    elif isinstance(fact, DepthData):
        offer.load(fact)
    elif isinstance(fact, TickData):
        offer.hear_tick(fact)
    elif fact.event_class in _BOOK_FACTS:
        offer.lose(f"{fact.count} changes of {fact.instrument_id} were shed: too many waited")


def _levels(offer: Offer, levels: int) -> int:
    if not 1 <= levels <= offer.settings.levels:
        raise Refusal(
            f"levels {levels} must be from 1 to {offer.settings.levels}, which is what this hub offers of {offer.instrument_id}"
        )
    return levels


def _step(instrument: Instrument, text: str) -> int:
    """Return a price step in units, 0 for none."""
    if not text:
        return 0
    grid = instrument.price_grid
    try:
        units = grid.from_decimal(text)
    except OffGrid as error:
        if error.below == error.above:  # it is no number that has neighbours
            hint = f"such as {grid.step * 10}, or leave it out for no grouping"
            raise Refusal(f"group {text[:40]!r} is no usable number; give a price step {hint}") from None
        raise Refusal(
            f"group {text[:40]!r} must be a multiple of the price step {grid.step}; nearest: {error.below} or {error.above}"
        ) from None
    if units < 1:
        raise Refusal(f"group {text[:40]!r} must be above 0, such as {grid.step * 10}; leave it out for no grouping")
    return 0 if units == 1 else units


def _described(ask: SubscribeAsk, number: int, instrument: Instrument, shape: tuple[int, int]) -> Subscribed:
    levels, step = shape
    return Subscribed(
        id=ask.id,
        stream=number,
        kind=ask.kind,
        instrument=ask.instrument,
        levels=levels,
        group=unit_text(instrument.price_grid, step) if step else "",
        price_step=unit_text(instrument.price_grid, 1),
        size_step=unit_text(instrument.quantity_grid, 1),
    )
