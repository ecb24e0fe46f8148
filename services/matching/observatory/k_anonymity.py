"""What may be published of counts: no cell below five, nor one that follows from the others (k-anonymity).

A cell says how many organisations of a group have a property. It is published if at least `K` have it and at least
`K` have not. Groups divide all organisations, so that what is left out of a column is known in total: where that
total is no cell that may be published, more is left out (complementary suppression; Hundepool et al., 2012).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from typing import Final, TypeVar

#: The least count that is published.
K: Final = 5

Key = TypeVar("Key", bound=Hashable)


def is_publishable(count: int, size: int) -> bool:
    """Whether it may be said that `count` of a group of `size` have a property."""
    return count >= K and size - count >= K


def coarsened_groups(paths: Mapping[str, Sequence[str]]) -> dict[str, str | None]:
    """Divide everybody into groups of at least `K`, as fine as that allows; None stands for all who are left.

    `paths` names the groups each could be in, finest first. Who is in too small a group goes to the next coarser one,
    with the others who do. If too few are left in the end, the smallest group joins them.
    """
    depth = max((len(path) for path in paths.values()), default=0)
    level = dict.fromkeys(paths, 0)

    def groups() -> dict[str, str | None]:
        return {one: path[level[one]] if level[one] < len(path) else None for one, path in paths.items()}

    for _ in range(depth):
        sizes = Counter(groups().values())
        for one, group in groups().items():
            if group is not None and sizes[group] < K:
                level[one] += 1
    divided = groups()
    while 0 < (left := sum(group is None for group in divided.values())) < K and left < len(divided):
        sizes = Counter(group for group in divided.values() if group is not None)
        smallest = min(sizes, key=lambda group: (sizes[group], group))
        divided = {one: None if group == smallest else group for one, group in divided.items()}
    return divided


def suppressed_counts(cells: Mapping[Key, tuple[int, int]]) -> dict[Key, int | None]:
    """The counts of a column that may be published, None for the others.

    `cells` gives for each group how many have the property, and how many are in it. The groups are all there are, and
    the total is as good as published: see `is_publishable`.
    """
    hidden = {group for group, cell in cells.items() if not is_publishable(*cell)}
    shown = sorted((group for group in cells if group not in hidden), key=lambda group: (cells[group], str(group)))
    while hidden and shown and not is_publishable(*_together(cells, hidden)):
        hidden.add(shown.pop(0))
    return {group: None if group in hidden else count for group, (count, _) in cells.items()}


def _together(cells: Mapping[Key, tuple[int, int]], groups: set[Key]) -> tuple[int, int]:
    return sum(cells[group][0] for group in groups), sum(cells[group][1] for group in groups)
