"""The steps, each with a number; a step that was ever published does not change any more."""
