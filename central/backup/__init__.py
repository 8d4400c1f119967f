"""Copies of headquarters as a whole, and what brings one back."""
