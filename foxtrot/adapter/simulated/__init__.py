"""The embedded exchange behind the adapter interface, in process.

Not a shortcut: orders and facts take the same way as with any other venue.
Built by the registry for paper trading, the demo and the backtester.
"""
