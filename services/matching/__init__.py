"""Matching: affinities of participants, with reasons and consent."""

import os

# One product of matrices is too small to share: two threads take longer than one. Read once, when numpy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
