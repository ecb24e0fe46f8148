"""Notify: who must hear of what, once."""
