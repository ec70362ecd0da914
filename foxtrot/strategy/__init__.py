"""Plugins: the Strategy base class, the engine that runs and isolates strategies, bars and indicators.

No venue, no socket and no clock of its own; time and randomness are handed in.
Called by the backtester and the application; authors import foxtrot.api instead.
"""
