"""Synthetic editions and streams of changes for benchmarks and property tests, determined by their seed."""
