"""Venues' protocols from the server's side: text and bytes in, commands to the venue, text and bytes out."""
