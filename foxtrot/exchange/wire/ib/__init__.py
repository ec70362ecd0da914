"""Interactive Brokers' TWS protocol from the server's side."""
