"""TWS's surface put together from its parts."""

from foxtrot.exchange.wire.ib.account import Account
from foxtrot.exchange.wire.ib.account_figures import AccountBooks
from foxtrot.exchange.wire.ib.contracts import Contracts
from foxtrot.exchange.wire.ib.gateway import IbGateway
from foxtrot.exchange.wire.ib.orders import Orders
from foxtrot.exchange.wire.ib.quotes import Quotes
from foxtrot.exchange.wire.ib.venue_side import IbSide


def ib_surface(side: IbSide) -> IbGateway:
    """Return the surface of a venue: the connection's own requests, contracts, market data, the account and orders.

    Source: EClient of ibapi 9.81.
    """
    gateway = IbGateway(side)
    gateway.answer(Contracts(side, gateway.send).handlers())
    gateway.add(Quotes(side, gateway.send))
    books = AccountBooks(side)
    gateway.add(Orders(side, gateway.send, gateway.started, books))
    gateway.add(Account(side, gateway.send, gateway.started, books))
    return gateway
