"""Interactive Brokers, by its own client library over TWS or IB Gateway."""
