"""What happened, kept: the journal of intents; later the recorder and the stores of bars and ticks.

Not decisions: nothing here judges what it stores.
Called by trading (journal) and app; imports core and domain.
"""
