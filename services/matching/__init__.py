"""Matching: the affinity of every requested or possible pair, with its reasons and its consent."""

import os

# One product of matrices is too small to share: two threads take longer than one. Read once, when numpy is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
