"""Live sessions, from the plan to the report, split by noun."""
