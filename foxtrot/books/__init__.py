"""Local order books, kept from a venue's snapshots and changes by named sequence rules.

Pure: no thread, clock or socket, and no venue by name.
Called by adapters, which feed them, and by the backtester.
"""
