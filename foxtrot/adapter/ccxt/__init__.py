"""Any exchange that ccxt.pro has: market data of one generic adapter, with a row of facts for each venue that was looked at.

A venue without a row works too: its book is then ccxt's own.
"""
