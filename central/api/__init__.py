"""The read-only interface for other systems, `/api/v1`: JSON over HTTP, described by OpenAPI."""
