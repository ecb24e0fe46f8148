"""Improvement: the problem given to the solver, and the adoption of its solution."""
