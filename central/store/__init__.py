"""What central remembers, in SQLite or PostgreSQL."""
