"""Text: needs and offers in free text, read and compared."""
