"""State and orders: market view, order desk, risk, gate and portfolio.

No lock and no venue: all of it belongs to the engine thread and knows only BaseAdapter.
Called by the strategy engine, and subscribed to the event engine.
"""
