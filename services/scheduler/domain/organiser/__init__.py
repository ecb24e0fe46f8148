"""The organiser: edits by hand, attendance, and what-if questions."""
