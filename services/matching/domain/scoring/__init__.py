"""Scoring: the affinity of one participant with many, and its terms."""
