"""Scoring: the affinity of a participant with many partners, and its terms."""
