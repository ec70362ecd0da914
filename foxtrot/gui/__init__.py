"""The desktop: windows over a running platform. Nothing but the command line imports it.

It holds no trading state: it is told facts, takes snapshots and sends commands.
"""
