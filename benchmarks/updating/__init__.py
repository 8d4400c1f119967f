"""The parts of the updates benchmark."""
