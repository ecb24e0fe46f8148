"""Communities of a weighted graph, by the Leiden algorithm (Traag, Waltman and van Eck, Scientific Reports 2019)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from graspologic_native import leiden  # type: ignore[import-untyped] # it ships no types

_SEED: Final = 2018
_TRIALS: Final = 4
_ITERATIONS: Final = 4


def communities(links: Mapping[tuple[str, str], float]) -> dict[str, int]:
    """Return the community of every node, by modularity. The same links in the same order give the same communities."""
    edges = [(first, second, weight) for (first, second), weight in links.items()]
    _, found = leiden(edges, seed=_SEED, trials=_TRIALS, iterations=_ITERATIONS)
    return dict(found)
