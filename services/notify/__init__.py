"""Notify: mails every participant their agenda, and every version of it at most once."""
