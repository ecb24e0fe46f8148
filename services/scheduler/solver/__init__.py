"""Improvement and proofs: slow, pure, and run in processes of their own."""
