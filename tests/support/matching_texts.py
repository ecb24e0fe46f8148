"""States of matching as a process loads them."""

from __future__ import annotations

from services.matching.domain.state import MatchingState
from services.matching.texts import ProfileTexts


def loaded_from(state: MatchingState) -> MatchingState:
    """Read a state from its snapshot, joined with its texts."""
    return joined(MatchingState.model_validate_json(state.model_dump_json()), state)


def joined(read: MatchingState, state: MatchingState) -> MatchingState:
    """Fill the texts of a state into a state that was read without them."""
    ProfileTexts().join(read, ProfileTexts().texts_of(state))
    return read
