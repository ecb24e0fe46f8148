"""The internal API: requests and answers between services, over HTTP with the internal token."""
