"""What comes back after a loss, how long that takes, and that nothing is missing then."""
