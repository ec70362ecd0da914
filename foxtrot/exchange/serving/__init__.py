"""Listeners of the embedded exchange: sockets on one side, a venue's protocol on the other, faults in between."""
