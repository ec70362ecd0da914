"""Futu's adapter: stocks of Hong Kong and the United States over a FutuOpenD gateway, with Futu's own SDK.

Nothing here imports the SDK but `sdk.load_sdk`, when a session first dials.
"""
