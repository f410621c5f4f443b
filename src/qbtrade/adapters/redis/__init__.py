"""Redis: what other processes watch, and the one thing that they may ask for. Loaded only when QB_REDIS_URL is set."""
