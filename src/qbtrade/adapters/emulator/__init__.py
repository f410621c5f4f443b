"""A local KIS: one core without I/O over the simulated exchange, and its faces on localhost."""
