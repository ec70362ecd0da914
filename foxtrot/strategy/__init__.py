"""Plugins: the Strategy class, its parameters, the engine that starts, stops and isolates strategies, bars, indicators.

Not venues: a strategy sees facts, instruments and its own orders only.
Called by the dispatcher through one host per strategy; imported by plugins through foxtrot.api.
"""
