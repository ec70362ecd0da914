"""The border: what every venue adapter promises, and the registry that finds adapters by name.

No trading state, no risk rule and no strategy; a venue's name stays in that venue's folder.
Called by trading (orders down) and built by the application.
"""
