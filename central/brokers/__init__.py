"""Brokers: their configuration, and a client for each kind."""
