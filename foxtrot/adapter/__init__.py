"""The border: adapters turn a venue's messages into facts and approved orders into its requests.

Not decisions: an adapter never judges an order and never calls a handler.
Called by trading (orders) and app (life cycle); speaks upward only through EventSink.put.
"""
