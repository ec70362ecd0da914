"""All that a strategy or plugin author may import: the one public door to the platform."""
