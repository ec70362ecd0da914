"""What an API key may do, as the wallet tells it; both products' ports answer it, for one port is all a client has here."""

from foxtrot.exchange.wire.binance.venue_side import ApiKey


def key_rights(key: ApiKey) -> dict[str, object]:
    """Return the rights of a key; one is bound to this machine's address unless told otherwise, for no other reaches a port here.

    Source: Binance Wallet API, Get API Key Permission.
    """
    return {
        "ipRestrict": key.address_bound,
        "createTime": 0,
        "enableReading": True,
        "enableWithdrawals": key.can_withdraw,
        "enableInternalTransfer": key.can_transfer,
        "enableMargin": False,
        "enableFutures": key.can_trade,
        "permitsUniversalTransfer": key.can_transfer,
        "enableVanillaOptions": False,
        "enableFixApiTrade": False,
        "enableFixReadOnly": False,
        "enableSpotAndMarginTrading": key.can_trade,
        "enablePortfolioMarginTrading": False,
    }
