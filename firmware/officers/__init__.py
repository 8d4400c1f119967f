"""Who is at the desk, and who may what."""
