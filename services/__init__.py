"""The services. They never import each other."""

#: Each is started with `python -m services.<name>`, and has an extra and a lock of that name.
SERVICES = ("registration", "matching", "scheduler", "notify", "portal", "events")
