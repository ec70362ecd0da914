"""Order books and tickers of one process shared with other local ones over WebSocket: server, page and client.

The protocol is docs/hub.md. Called by app (the server) and by whoever imports HubClient from foxtrot.api.
"""
