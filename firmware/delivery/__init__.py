"""From a committed alert to central's acknowledgement, and back with its answer."""
