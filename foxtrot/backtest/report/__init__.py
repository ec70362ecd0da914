"""The HTML report of a backtest: one page that needs no network, with its assumptions on top.

Not the numbers themselves: statistics and fills come in ready. `page.write_report` is the way in.
"""
