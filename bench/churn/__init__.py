"""The calendars of an edition's participants under changes, read by outside libraries."""
