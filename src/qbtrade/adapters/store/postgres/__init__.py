"""PostgreSQL: the long memory. Loaded only when QB_DATABASE_URL is set."""
