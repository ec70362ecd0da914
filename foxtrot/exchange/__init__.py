"""The embedded venue: order books, matching, accounts and market-making agents, deterministic and passive.

No thread and no clock in the matching core: time comes with each command; it never imports an adapter.
Called by the simulated adapter, the backtester and the exchange server.
"""
