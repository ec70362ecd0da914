"""Binance's protocol from the server's side, spot and USD-M, read from Binance's documents alone."""
