"""A live session against its own recorded day: replayed through the simulator, and explained trade by trade."""
