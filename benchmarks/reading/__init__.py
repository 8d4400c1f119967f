"""Readers of pictures side by side: what they read, how long it took, and how it is told."""
