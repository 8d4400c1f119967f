"""From an operator's answer to the device that waits for it."""
