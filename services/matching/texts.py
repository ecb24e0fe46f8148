"""The texts of matching's journal: needs and offers, kept in `people`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.matching.domain.changes import Change, ParticipantRecorded
from services.matching.domain.snapshots import ParticipantSnapshot
from services.matching.domain.state import MatchingState
from shared.storage.people import EditionTexts, Texts, merged

_PARTICIPANT = "participant/"
_NO_TEXTS: dict[str, Any] = {"offers": [], "needs": []}


class ProfileTexts:
    """Implements `shared.storage.people.TextJoin`."""

    def texts_of(self, state: MatchingState, changes: Sequence[Change] | None = None) -> dict[str, Texts]:
        """Return the texts that changes bring, or all texts of the state."""
        if changes is None:
            return {f"{_PARTICIPANT}{key}": _texts(known) for key, known in state.participants.items()}
        return merged(
            (f"{_PARTICIPANT}{change.participant_id}", _texts(change.participant))
            for change in changes
            if isinstance(change, ParticipantRecorded) and _brings_texts(change.participant)
        )

    def join(self, state: MatchingState, texts: EditionTexts) -> None:
        """Fill needs and offers into a loaded state."""
        for key, text in texts.items():
            participant_id = key.removeprefix(_PARTICIPANT)
            if known := state.participants.get(participant_id):
                state.participants[participant_id] = _joined(known, text)


def _brings_texts(participant: ParticipantSnapshot) -> bool:
    return participant.erased or participant.texts == participant.revision


def _texts(participant: ParticipantSnapshot) -> Texts:
    profile = participant.profile
    if participant.erased:
        return None
    return {participant.texts: {"offers": list(profile.offers), "needs": list(profile.needs)}}


def _joined(participant: ParticipantSnapshot, texts: Texts) -> ParticipantSnapshot:
    text = (texts or {}).get(participant.texts, _NO_TEXTS)
    update = {"offers": tuple(text["offers"]), "needs": tuple(text["needs"])}
    return participant.model_copy(update={"profile": participant.profile.model_copy(update=update)})
