"""HTTP server of a service: uvicorn, with bounds on everything that a stranger can send."""
