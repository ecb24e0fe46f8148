"""Published counts: no count below five can be read or derived, neither of a property nor of its absence."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from services.matching.observatory.k_anonymity import K, coarsened_groups, is_publishable, suppressed_counts

PATHS = st.lists(st.sampled_from(["ab", "ac", "bb", "bc", "cb", "c", "d", ""]), max_size=60)
CELLS = st.lists(
    st.integers(K, 40).flatmap(lambda size: st.tuples(st.integers(0, size), st.just(size))), min_size=1, max_size=7
)


@given(PATHS)
def test_every_group_has_at_least_five_members_or_all(finest: list[str]) -> None:
    paths = {str(one): tuple(path) for one, path in enumerate(finest)}
    groups = coarsened_groups(paths)
    assert set(groups) == set(paths)
    sizes = Counter(groups.values())
    assert all(size >= min(K, len(paths)) for size in sizes.values())
    assert all(group is None or group in paths[one] for one, group in groups.items())


@given(CELLS)
def test_the_total_of_suppressed_cells_is_publishable(
    cells: list[tuple[int, int]],
) -> None:
    shown = suppressed_counts(dict(enumerate(cells)))
    for group, count in shown.items():
        assert count in (None, cells[group][0])
        assert count is None or is_publishable(*cells[group])
    hidden = [cells[group] for group, count in shown.items() if count is None]
    total = (sum(count for count, _ in cells), sum(size for _, size in cells))
    if hidden and is_publishable(*total):
        assert is_publishable(sum(count for count, _ in hidden), sum(size for _, size in hidden))
        assert len(hidden) > 1
    if not is_publishable(*total):
        assert not any(shown.values())
