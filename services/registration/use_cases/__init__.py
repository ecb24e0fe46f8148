"""Use cases of registration: a module for each kind of entity, and a module for imported files."""
