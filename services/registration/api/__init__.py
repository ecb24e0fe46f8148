"""HTTP in: each endpoint reads, calls one use case, and answers."""
