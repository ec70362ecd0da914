"""The rows of the venues that were looked at, one module each; `venue_row` finds them."""
