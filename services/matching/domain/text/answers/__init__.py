"""The second rule of shown needs and offers: what rules an offer out, and what speaks for it."""
