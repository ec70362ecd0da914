"""How facts move: the dispatcher, the engine thread around it, timers, the send permit, the clock.

Not decisions: nothing here knows what an order or a price means beyond its class.
Called by every package above; imports only domain.
"""
