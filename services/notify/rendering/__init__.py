"""How a digest looks: as text, as HTML, as a calendar, as a mail."""
