"""Staff accounts of operators: their roles, the links by which they sign in, and their sessions."""
