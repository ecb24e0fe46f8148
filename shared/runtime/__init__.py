"""The process around a service: settings, logs, metrics, health, clock, background work."""
