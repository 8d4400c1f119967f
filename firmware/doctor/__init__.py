"""Whether the device is well: small checks, each with a line for a person and what to do."""
