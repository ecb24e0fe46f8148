"""Publication in slices: the outcome is that of a single slice."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

from hypothesis import given
from hypothesis import strategies as st

from services.matching.domain import decide, publication
from services.matching.domain.rescoring import pairs_left
from tests.support.matching_histories import batches, decided, histories, slowly


@slowly
@given(data=st.data())
def test_slices_change_neither_the_state_nor_the_published_affinities(data: st.DataObject, scene: Any) -> None:
    history, sizes = data.draw(st.permutations(data.draw(histories(scene)))), data.draw(batches)
    pairs, participants = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 3))
    with patch.object(publication, "_PAIRS_AT_ONCE", 1):
        whole, changes = decided(history, sizes)
        with (
            patch.multiple(pairs_left, SCORED_AT_ONCE=pairs, KEPT_AT_ONCE=pairs),
            patch.multiple(decide, _PARTICIPANTS_AT_ONCE=participants, _CHANGES_AT_ONCE=pairs),
        ):
            sliced, sliced_changes = decided(history, sizes)
    assert sliced == whole
    assert [change for change in sliced_changes if change.type not in {"pairs_deferred", "pairs_published"}] == changes
