"""Traders of the embedded venue: each kind reads the book as any customer could and answers with commands.

They know no clock and no randomness but what they are given, and count in integers only, so that a seed repeats exactly.
"""
