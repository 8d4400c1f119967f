"""Other systems: what they are told, and what they read with."""
