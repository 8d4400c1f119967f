"""Ours beside the peers: one command each, run by path from the repository."""
