"""How facts move: dispatcher, event engine, send permit, commands, notices and clock.

No trading state and no venue: an event's meaning is known only to its subscribers.
Called by storage, adapters, trading, strategies and the application.
"""
