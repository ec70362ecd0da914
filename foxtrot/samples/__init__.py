"""Strategies to read first, one idea each.

Not a product: parameters are examples, and none of them promises a profit.
Loaded by entry point; they import foxtrot.api only, as a third party's plugin would.
"""
