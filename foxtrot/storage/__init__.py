"""What happened: the order journal, and the stores of bars and ticks.

No trading decision and no venue; a store keeps facts and gives them back.
Called by trading, the backtester and the application.
"""
