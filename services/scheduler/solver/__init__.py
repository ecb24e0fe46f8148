"""Improve and prove: slow, pure, and run in a process of their own."""
