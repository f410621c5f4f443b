"""Where things are kept: the SQLite journal, PostgreSQL, files."""
