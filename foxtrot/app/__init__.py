"""The only place that knows all parts: configuration, construction, starting and stopping.

No trading rule and no venue protocol; it builds the parts that have them.
Called by the command line and the GUI.
"""
