"""Matching: affinities of participants, with reasons and consent."""

import os

# A product of matrices is too small for threads: two take longer than one. numpy reads this when it is loaded.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
