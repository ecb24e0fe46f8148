"""Rendering of a mail: text, HTML and calendar file."""
