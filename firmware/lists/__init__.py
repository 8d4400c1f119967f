"""The device's lists: their state, their update, and what central is told of it."""
