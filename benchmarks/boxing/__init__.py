"""The box as a service: its start, its waiting, its memory."""
