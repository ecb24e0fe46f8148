"""Exports that an import reads back: participants, organisations, match requests, availability, chosen sessions."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from typing import Final

from services.registration.domain.match_request import LIVE, MatchRequest
from services.registration.domain.organisation import Organisation
from services.registration.domain.participant import Participant
from services.registration.exports.cells import organisation_cells, participant_cells
from services.registration.exports.tables import Cell, ExportSource, ExportTable, Row, in_order
from services.registration.import_files.vocabulary import ORGANISATION_PREFIX
from shared.contract.events import RequestState, Status
from shared.contract.spelling import same_name

#: The state of an unanswered request whose target has asked for the requester as well: they meet.
_MUTUAL: Final = "mutual"
_OF_ORGANISATIONS: Final = ("kind", "country", "region", "delegation", "website", "description", "booth")
_PARTICIPANTS: Final = (
    *("organisation", "full_name", "email", "languages", "job_title", "phone", "external_id"),
    *("offers", "needs", "codes", "sessions", "status"),
    *(ORGANISATION_PREFIX + name for name in _OF_ORGANISATIONS),
    "id",
)
_ORGANISATIONS: Final = (
    *("name", "kind", "country", "region", "delegation", "interchangeable", "codes", "website", "description"),
    *("booth", "phone", "external_id", "status", "id"),
)
_REQUESTS: Final = (
    *("requester", "requester_name", "target", "target_name", "priority", "partners_wanted", "state", "id"),
)
#: States of requests that a repeated import finds again.
_FOUND_AGAIN: Final = LIVE | {RequestState.DECLINED}


async def _participants(source: ExportSource) -> AsyncIterator[Row]:
    await source.load_organisations()
    async for participant in source.repository.all_of(Participant, source.edition.edition_id):
        if source.with_cancelled or participant.status is Status.ACTIVE:
            yield in_order(_PARTICIPANTS, _participant(participant, source))


def _participant(participant: Participant, source: ExportSource) -> dict[str, Cell]:
    words = source.words
    cells: dict[str, Cell] = dict(participant_cells(participant, source.edition))
    if organisation := source.organisations.get(participant.organisation_id):
        own = _organisation(organisation, source)
        cells |= {ORGANISATION_PREFIX + name: own[name] for name in _OF_ORGANISATIONS}
        cells["organisation"] = organisation.name
    return cells | {
        "languages": ", ".join(map(words.language_name, participant.languages)),
        "status": words.word("status", participant.status),
        "id": participant.participant_id,
    }


async def _organisations(source: ExportSource) -> AsyncIterator[Row]:
    async for organisation in source.repository.all_of(Organisation, source.edition.edition_id):
        if source.with_cancelled or organisation.status is Status.ACTIVE:
            yield in_order(_ORGANISATIONS, _organisation(organisation, source))


def _organisation(organisation: Organisation, source: ExportSource) -> dict[str, Cell]:
    words = source.words
    cells: dict[str, Cell] = dict(organisation_cells(organisation))
    return cells | {
        "kind": words.word("kinds", organisation.kind),
        "country": words.country(organisation.country),
        "interchangeable": words.yes_or_no(organisation.interchangeable),
        "status": words.word("status", organisation.status),
        "id": organisation.organisation_id,
    }


async def _requests(source: ExportSource) -> AsyncIterator[Row]:
    await source.load_people()
    shared = Counter(same_name(person.email) for person in source.people.values())
    requests = [request async for request in source.repository.all_of(MatchRequest, source.edition.edition_id)]
    asked = {(request.requester_id, request.target_id) for request in requests if request.state in LIVE}
    for request in requests:
        parties = [party for party in (request.requester_id, request.target_id) if party]
        is_found = request.state in _FOUND_AGAIN and all(source.person(party).is_active for party in parties)
        if source.with_cancelled or is_found:
            is_mutual = (request.target_id, request.requester_id) in asked
            yield in_order(_REQUESTS, _request(request, source, shared, is_mutual=is_mutual))


def _request(request: MatchRequest, source: ExportSource, shared: Counter[str], *, is_mutual: bool) -> dict[str, Cell]:
    def named(participant_id: str) -> str:
        """Return the address; the id of a participant whose address is not theirs alone."""
        email = source.person(participant_id).email
        return email if email and shared[same_name(email)] == 1 else participant_id

    target, state = request.target_id, request.state.value
    if is_mutual and request.state is RequestState.REQUESTED:
        state = _MUTUAL
    return {
        "requester": named(request.requester_id),
        "requester_name": source.person(request.requester_id).name,
        "target": named(target) if target else "",
        "target_name": source.person(target).name if target else "",
        "priority": request.priority,
        "partners_wanted": None if target else request.partners_wanted,
        "state": source.words.word("request_states", state),
        "id": request.request_id,
    }


PARTICIPANTS: Final = ExportTable(_PARTICIPANTS, _participants)
ORGANISATIONS: Final = ExportTable(_ORGANISATIONS, _organisations)
MATCH_REQUESTS: Final = ExportTable(_REQUESTS, _requests)
