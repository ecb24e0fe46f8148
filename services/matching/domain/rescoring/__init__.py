"""Scores that are computed anew after a change, and the pairs that are left for later slices."""
