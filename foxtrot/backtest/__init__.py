"""The line without threads: history in, the same trading and strategies, fills, statistics and a report out.

No second trading path: orders pass desk, risk, gate and venue as they do live.
Called by the application, the command line and notebooks through foxtrot.api.
"""
