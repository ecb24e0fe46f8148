"""Counts that may be published: no cell below five, and no cell that can be derived (k-anonymity).

A cell counts the organisations of a group with a property. It is published if at least `K` have it and at least `K`
have it not. Groups divide all organisations, so the total of the suppressed cells of a column is known. If that total
may not be published itself, more cells are suppressed (complementary suppression; Hundepool et al., 2012).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import Final, TypeVar

#: The least count that is published.
K: Final = 5

Key = TypeVar("Key", bound=Hashable)


def is_publishable(count: int, size: int) -> bool:
    """Tell whether a count of `count` in a group of `size` may be published."""
    return count >= K and size - count >= K


def coarsened_groups(paths: Mapping[str, Sequence[str]]) -> dict[str, str | None]:
    """Divide all keys into groups of at least `K`, as fine as possible; None stands for the rest.

    `paths` names the possible groups of a key, finest first. A key in too small a group moves to the next coarser
    group, together with the rest of its group. If the rest is too small in the end, the smallest group joins it.
    """
    depth = max((len(path) for path in paths.values()), default=0)
    level = dict.fromkeys(paths, 0)

    def groups() -> dict[str, str | None]:
        return {key: path[level[key]] if level[key] < len(path) else None for key, path in paths.items()}

    for _ in range(depth):
        sizes = Counter(groups().values())
        for key, group in groups().items():
            if group is not None and sizes[group] < K:
                level[key] += 1
    divided = groups()
    while 0 < (left := sum(group is None for group in divided.values())) < K and left < len(divided):
        sizes = Counter(group for group in divided.values() if group is not None)
        smallest = min(sizes, key=lambda group: (sizes[group], group))
        divided = {key: None if group == smallest else group for key, group in divided.items()}
    return divided


def suppressed_counts(cells: Mapping[Key, tuple[int, int]]) -> dict[Key, int | None]:
    """Return the counts of a column that may be published, and None for suppressed counts.

    `cells` holds, by group, the count and the size of the group. The groups are complete, so the total counts as
    published: see `is_publishable`.
    """
    hidden = {group for group, cell in cells.items() if not is_publishable(*cell)}
    shown = sorted((group for group in cells if group not in hidden), key=lambda group: (cells[group], str(group)))
    while hidden and shown and not is_publishable(*_together(cells, hidden)):
        hidden.add(shown.pop(0))
    return {group: None if group in hidden else count for group, (count, _) in cells.items()}


def _together(cells: Mapping[Key, tuple[int, int]], groups: set[Key]) -> tuple[int, int]:
    return sum(cells[group][0] for group in groups), sum(cells[group][1] for group in groups)
