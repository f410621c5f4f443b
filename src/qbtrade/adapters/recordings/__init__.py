"""Market data of one's own: what a session heard, kept per symbol and day."""
