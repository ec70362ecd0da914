"""Binance: frames, requests and archives of its spot and USD-M markets.

Pure codecs know no socket and no SDK, so that recorded captures replay here.
Called by the registry, and by the backtester's readers of captures.
"""
