"""HTTP API: an endpoint parses the request, calls a use case and returns the answer."""
