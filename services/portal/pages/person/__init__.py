"""Pages of a participant, signed in by the link of a mail."""
