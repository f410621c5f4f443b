"""Private PostgreSQL and Redis servers of the user: found, started, stopped, looked at."""
