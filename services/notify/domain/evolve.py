"""The function that applies a change to an edition's state."""

from __future__ import annotations

from typing import assert_never

from services.notify.domain.changes import (
    AgendaRecorded,
    Change,
    ContactRecorded,
    EditionRecorded,
    MatchRecorded,
    OperatorRecorded,
    OrganisationRecorded,
    VersionRaised,
)
from services.notify.domain.state import Audience


def evolve(state: Audience, change: Change) -> None:
    """Apply a change. Only this function changes an audience, so a replayed journal gives the same state."""
    match change:
        case OperatorRecorded():
            state.begin_with(change.operator_id)
        case EditionRecorded():
            state.edition = change.edition
        case OrganisationRecorded():
            state.record_organisation(change.organisation_id, change.organisation)
        case ContactRecorded():
            state.record_contact(change.participant_id, change.contact)
        case AgendaRecorded():
            state.agendas[change.participant_id] = change.agenda
        case MatchRecorded():
            state.matches[change.pair_id] = change.match
        case VersionRaised():
            state.versions[change.participant_id] = change.version
        case _:
            assert_never(change)
