"""Export of the participants whom mails have not reached."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Final

from services.registration.exports.tables import Cell, ExportSource, ExportTable, Row, in_order
from shared.internal_api.reach import ParticipantReach, ReachState

_FIELDS: Final = ("participant", "organisation", "email", "phone", "state", "reason", "remedy", "id")
#: The state of a participant to whom no mail was due so far.
_UNMAILED: Final = "unmailed"


async def _unreached(source: ExportSource) -> AsyncIterator[Row]:
    reached = await _reach(source)
    await source.load_people()
    for participant_id in source.people_in_order():
        reach = reached.get(participant_id)
        if reach is None or reach.state is not ReachState.REACHED:
            yield in_order(_FIELDS, _cells(participant_id, reach, source))


async def _reach(source: ExportSource) -> dict[str, ParticipantReach]:
    """Return the states of the newest mails by participant. Raises `ServiceUnavailable`, `ServiceDeclined`."""
    path = f"/editions/{source.edition.edition_id}/reach"
    found = await source.clients.notify.all_items(path, ParticipantReach, lambda reach: reach.participant_id)
    return {reach.participant_id: reach for reach in found}


def _cells(participant_id: str, reach: ParticipantReach | None, source: ExportSource) -> dict[str, Cell]:
    person, words = source.person(participant_id), source.words
    state = reach.state.value if reach else _UNMAILED
    # The mail server's code tells more than any translation.
    detail = f" ({reach.reason})" if reach and reach.reason else ""
    return {
        "participant": person.name,
        "organisation": person.organisation,
        "email": person.email,
        "phone": person.phone,
        "state": words.word("reach_states", state),
        "reason": words.word("reach_reasons", state) + detail,
        "remedy": words.word("reach_remedies", state),
        "id": participant_id,
    }


UNREACHED: Final = ExportTable(_FIELDS, _unreached)
