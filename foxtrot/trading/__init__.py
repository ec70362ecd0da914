"""State and orders: market view, order desk, risk, gate, portfolio, reconciliation. Engine thread only, no locks.

Not venues and not strategies: it knows BaseAdapter and owner ids, nothing more of either.
Called by the dispatcher (facts going up) and by strategies (orders going down).
"""
