"""What the guardian writes, and where, for whoever reads it there."""

LOG = "guardian.log"
CANCELS = "our entry orders are cancelled on every account"
"""Ends the line that says why the guardian begins to act."""
