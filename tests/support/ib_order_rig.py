"""The trading side of TWS's surface on a venue without sockets: orders by field name, on top of one that ibapi 9.81 wrote."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Final

from foxtrot.domain.enums import Side
from foxtrot.domain.fees import load_preset
from foxtrot.exchange.commands import Deposit, OpenAccount
from foxtrot.exchange.listing import SetFeePlan
from foxtrot.exchange.wire.ib.ib_contract import FUT, OPT
from foxtrot.exchange.wire.ib.layout import fields_at
from foxtrot.exchange.wire.ib.order_layouts import (
    PLACE_CLEARING,
    PLACE_FLAGS,
    PLACE_HEAD,
    PLACE_HEDGE,
    PLACE_SCALE,
    PLACE_TAIL,
    PLACE_TERMS,
)
from foxtrot.exchange.wire.ib.surface import ib_surface
from foxtrot.exchange.wire.ib.surface_settings import IbSettings
from foxtrot.exchange.wire.ib.venue_side import IbSide
from tests.support.ib_quote_rig import AAPL, T0_NS, QuoteClient, QuoteRig

FRAMES: Final = Path(__file__).parents[1] / "unit" / "exchange" / "wire_ib" / "frames"
ACCOUNT_ID, OTHER_ID, VENUE_ACCOUNT = "DU1000001", "DU1000002", "main-ib"
_CONTRACT: Final = (
    "conId", "symbol", "secType", "expiry", "strike", "right", "multiplier", "exchange", "primaryExchange", "currency",
    "localSymbol", "tradingClass",
)  # fmt: skip


def recorded(client: str) -> dict[str, list[list[str]]]:
    """Messages that a real client wrote, by name."""
    found: dict[str, list[list[str]]] = json.loads((FRAMES / f"orders_{client}.json").read_text("utf-8"))
    return found


def field_names(version: int = 157) -> list[str]:
    """Names of the fields of a plain order, its message id first."""
    parts = (PLACE_HEAD, PLACE_TERMS, PLACE_SCALE, PLACE_HEDGE, PLACE_CLEARING)
    names = [field.name for part in parts for field in fields_at(part, version)]
    tail = [field.name for part in (PLACE_FLAGS, PLACE_TAIL) for field in fields_at(part, version)]
    return ["message", "orderId", *_CONTRACT, *names, "algoStrategy", *tail]


def order_fields(order_id: int, **more: object) -> list[str]:
    """An order to buy 100 AAPL at 189.50 until cancelled, with some fields other than ibapi wrote them."""
    fields = dict(zip(field_names(), recorded("ibapi_157")["limit"][0], strict=True))
    fields["orderId"] = str(order_id)
    for name, value in more.items():
        assert name in fields, name
        fields[name] = str(value)
    return list(fields.values())


class OrderRig(QuoteRig):
    """A venue with two accounts of IB's, and the whole surface on it."""

    def __init__(
        self, now_ns: int = T0_NS, settings: IbSettings | None = None, *, accounts: tuple[str, ...] = ("main",)
    ) -> None:
        super().__init__(now_ns, settings)
        self.open_accounts(accounts)
        self.gateway = ib_surface(self.side)

    def open_accounts(self, accounts: tuple[str, ...]) -> None:
        """Let IB's clients see accounts that have a million dollars each, and pay IB's fees."""
        for contract in self.side.contracts.all():
            preset = {FUT: "ib_us_futures", OPT: "ib_us_options"}.get(contract.sec_type, "ib_us_fixed")
            self.execute(SetFeePlan(self.now_ns, contract.instrument_id, "ib", load_preset(preset)))
        for name in accounts:
            own = self.side.add_account(name).account
            self.execute(OpenAccount(self.now_ns, own, margin_checked=False, allow_short=True, fee_plan="ib"))
            self.execute(Deposit(self.now_ns, own, "USD", Decimal(1_000_000)))

    def settle(self) -> None:
        """Tell what happened, and what came of that."""
        while self.events:
            super().settle()

    def reborn(self, accounts: tuple[str, ...] = ()) -> "OrderRig":
        """A new server that goes on from this one's snapshot, with other accounts in it if they are named."""
        other = OrderRig.__new__(OrderRig)
        QuoteRig.__init__(other, self.now_ns, self.side.settings)
        other.side = IbSide(other.venue, lambda: other.now_ns, self.side.settings)
        for name in accounts or tuple(account.name for account in self.side.accounts.values()):
            other.side.add_account(name)
        other.gateway = ib_surface(other.side)
        other.venue.take_up(self.venue.snapshot())
        other.gateway.tick(other.now_ns)
        return other

    def zero(self) -> QuoteClient:
        """A connection with the client id 0."""
        client = self.client()
        client.link.client_id = 0
        return client

    def by_hand(self, price: str, size: int = 10) -> None:
        """Enter a buy for the account in TWS itself."""
        self.rest(Side.BUY, price, size, account=VENUE_ACCOUNT)

    def market(self, bid: str = "200", ask: str = "200.1", size: int = 1000) -> None:
        """Let a market maker stand on both sides of AAPL, after a trade between."""
        self.trade(ask)
        self.rest(Side.BUY, bid, size)
        self.rest(Side.SELL, ask, size)


def place(client: QuoteClient, order_id: int, **more: object) -> list[list[str]]:
    """Place an order of `order_fields` and return what was told."""
    return client.ask(*order_fields(order_id, **more))


def brief(told: list[list[str]]) -> list[str]:
    """What was told, in short: kind and status, code or size of each message."""
    lines = []
    for fields in told:
        kind = int(fields[0])
        if kind == 3:
            lines.append(f"{fields[1]} {fields[2]} {fields[3]}/{fields[4]}")
        elif kind == 4:
            lines.append(f"{fields[2]} error {fields[3]}")
        elif kind == 5:
            lines.append(f"{fields[1]} open")
        elif kind == 11:
            lines.append(f"{fields[2]} fill {fields[19]}@{fields[20]}")
        elif kind == 59:
            lines.append(f"fee {fields[3]} {fields[4]}")
        else:
            lines.append(f"message {kind}")
    return lines


def statuses(told: list[list[str]], order_id: int) -> list[str]:
    """The statuses that an order was told in."""
    return [fields[2] for fields in told if fields[0] == "3" and fields[1] == str(order_id)]


__all__ = ["AAPL", "ACCOUNT_ID", "OTHER_ID", "T0_NS", "VENUE_ACCOUNT", "OrderRig", "brief", "place", "recorded"]
