"""What things are: frozen facts, requests, instruments, errors.

Not behaviour: nothing here owns a thread, a clock, a socket or mutable state.
Called by every other package; imports only the standard library and msgspec.
"""
