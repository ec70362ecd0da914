"""The state of a server as plain tables, for the control port and for tests."""

from typing import TYPE_CHECKING

from foxtrot.domain.instrument import Instrument
from foxtrot.exchange.accounts import HOUSE
from foxtrot.exchange.reports import OrderReport
from foxtrot.exchange.serving.client_socket import ClientSocket
from foxtrot.exchange.serving.traffic import Traffic

if TYPE_CHECKING:
    from foxtrot.exchange.server import ExchangeServer
    from foxtrot.exchange.serving.futu_socket import FutuSocket
    from foxtrot.exchange.serving.ib_socket import IbSocket
    from foxtrot.exchange.venue import Venue

Row = dict[str, object]


def state_of(
    server: "ExchangeServer",
    traffic: Traffic,
    futu: "tuple[FutuSocket, ...]" = (),
    ib: "tuple[IbSocket, ...]" = (),
) -> Row:
    """Return accounts, connections and counters; agents' accounts are left out."""
    host, venue = server.host, server.host.venue
    listed = {one.instrument_id: one for one in venue.instruments()}
    names = [name for name in venue.accounts() if name not in host.traders and name not in HOUSE]
    return {
        "time_ns": host.now_ns(),
        "skew_ns": host.skew_ns,
        "sequence": venue.sequence,
        "ports": server.ports,
        "instruments": list(listed),
        "accounts": {name: _account(venue, name, listed) for name in names},
        "connections": [_connection(one) for one in server.faults.sockets.values()]
        + [_futu(one) for one in futu]
        + [_ib(one) for one in ib],
        "counters": {
            "connections": dict(traffic.connections),
            "requests": dict(traffic.requests),
            "orders": list(traffic.orders),
        },
        "failures": list(server.failures),
    }


def fault_rows(server: "ExchangeServer") -> list[Row]:
    """Return what was set, with how often each matched and acted."""
    now_ns = server.faults.now_ns()
    return [
        {
            "number": armed.number,
            "fault": armed.fault,
            "matched": armed.matched,
            "fired": armed.fired,
            "is_active": armed.is_active(now_ns),
            "error": armed.error,
        }
        for armed in server.faults.script.armed()
    ]


def _account(venue: "Venue", name: str, listed: dict[str, Instrument]) -> Row:
    return {
        "balances": {
            asset: {"total": total, "locked": locked} for asset, (total, locked) in venue.balances(name).items()
        },
        "open_orders": [_order(order, listed[order.instrument_id]) for order in venue.open_orders(name)],
        "positions": [
            {
                "instrument_id": held.instrument_id,
                "side": held.position_side,
                "quantity": listed[held.instrument_id].quantity_grid.to_text(held.quantity),
                "average_price": held.average_price,
            }
            for held in venue.positions(name)
        ],
        "fills": [
            {
                "instrument_id": fill.instrument_id,
                "order_id": fill.order_id,
                "client_order_id": fill.client_order_id,
                "trade_id": fill.trade_id,
                "side": fill.side,
                "price": listed[fill.instrument_id].price_grid.to_text(fill.fill_price),
                "quantity": listed[fill.instrument_id].quantity_grid.to_text(fill.fill_quantity),
            }
            for fill in venue.fills(name)
        ],
    }


def _order(order: OrderReport, instrument: Instrument) -> Row:
    return {
        "instrument_id": order.instrument_id,
        "order_id": order.order_id,
        "client_order_id": order.client_order_id,
        "side": order.side,
        "type": order.order_type,
        "status": order.status,
        "quantity": instrument.quantity_grid.to_text(order.quantity),
        "filled": instrument.quantity_grid.to_text(order.filled),
        "price": instrument.price_grid.to_text(order.price),
    }


def _connection(one: ClientSocket) -> Row:
    connection = one.connection
    return {
        "number": connection.number,
        "product": one.product,
        "path": connection.path,
        "kinds": one.kinds,
        "account": one.account,
        "streams": sorted(one.streams),
        "opened_ns": connection.opened_ns,
        "frames_sent": one.sent,
        "pongs": one.pongs,
        "waiting_bytes": one.outlet.waiting_bytes,
    }


def _futu(one: "FutuSocket") -> Row:
    client = one.client
    return {
        "number": client.number,
        "product": one.product,
        "path": "",
        "kinds": (one.kind,),
        "account": "",
        "accounts": sorted(client.accounts),
        "streams": sorted(
            f"{market}.{code}:{subscribed}"
            for (market, code), kinds in client.subscriptions.items()
            for subscribed in kinds
        ),
        "opened_ns": client.opened_ns,
        "frames_sent": one.sent,
        "pongs": 0,
        "waiting_bytes": one.waiting_bytes,
    }


def _ib(one: "IbSocket") -> Row:
    client = one.client
    return {
        "number": client.number,
        "product": one.product,
        "path": "",
        "kinds": (),
        "account": "",
        "client_id": client.client_id,
        "version": client.version,
        "streams": [],
        "opened_ns": client.opened_ns,
        "frames_sent": one.sent,
        "pongs": 0,
        "waiting_bytes": one.waiting_bytes,
    }
