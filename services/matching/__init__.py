"""Matching: the affinity of every requested or possible pair, with its reasons and its consent."""
