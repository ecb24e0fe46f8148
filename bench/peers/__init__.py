"""Solvers with which the benchmarks compare."""
