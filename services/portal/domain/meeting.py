"""People whom a participant may ask to meet: the results of a search, and the state between the two."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from services.portal.domain.people import ShownPerson, plain, shown_person
from services.portal.domain.picture import EditionPicture
from shared.contract.codes import label_of
from shared.contract.events import ConsentSubject, OrganisationChanged, ParticipantChanged, RequestState, Status

#: People on a page.
PAGE = 15


@dataclass(frozen=True)
class MeetingSearch:
    """Conditions of a search; without conditions it finds all people."""

    words: str = ""
    kind: str = ""
    country: str = ""
    page: int = 0

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing is asked for."""
        return not (self.words or self.kind or self.country)


@dataclass(frozen=True)
class Acquaintance:
    """A person whom the reader may ask. Without consent to be listed the name is empty.

    `state` is that between the two: empty, `asked`, `asks`, `agreed` or `declined`. `reason` is a line, or empty.
    """

    person: ShownPerson
    kind: str
    needs: tuple[str, ...]
    offers: tuple[str, ...]
    codes: tuple[str, ...]
    state: str
    reason: str = ""


@dataclass(frozen=True)
class FoundPeople:
    """A page of people, and whether a further page follows."""

    people: tuple[Acquaintance, ...]
    count: int
    has_more: bool


def find_people(picture: EditionPicture, reader_id: str, search: MeetingSearch, language: str) -> FoundPeople:
    """Return the people that a search finds, by organisation and name."""
    words = plain(search.words).split()
    found = []
    for participant, house in _strangers(picture, reader_id):
        if (search.kind and house.kind != search.kind) or (search.country and house.country != search.country):
            continue
        if words and not all(word in _text_of(participant, house, language) for word in words):
            continue
        found.append((plain(house.name), participant.participant_id))
    start = search.page * PAGE
    chosen = [participant_id for _, participant_id in sorted(found)[start : start + PAGE]]
    people = tuple(acquaintance(picture, reader_id, participant_id, language) for participant_id in chosen)
    return FoundPeople(people, len(found), len(found) > start + PAGE)


def acquaintance(
    picture: EditionPicture, reader_id: str, participant_id: str, language: str, reason: str = ""
) -> Acquaintance:
    """Return a person as another participant reads it before the two have agreed to meet."""
    participant = picture.participants[participant_id]
    house = picture.organisations.get(participant.organisation_id)
    state = state_between(picture, reader_id, participant_id)
    return Acquaintance(
        person=person_read_by(picture, reader_id, participant_id),
        kind=house.kind if house else "",
        needs=participant.profile.needs,
        offers=participant.profile.offers,
        codes=tuple(filter(None, (label_of(code, language) for code in participant.profile.codes))),
        state=state,
        reason=reason,
    )


def may_be_asked(picture: EditionPicture, reader_id: str, participant_id: str) -> bool:
    """Tell whether a participant may be shown to the reader."""
    return any(participant.participant_id == participant_id for participant, _ in _strangers(picture, reader_id))


def person_read_by(picture: EditionPicture, reader_id: str, other_id: str) -> ShownPerson:
    """Return a person as a participant reads it.

    The name is shown if the person agreed to be listed, asks the participant, or has agreed to meet. Else the
    organisation alone is shown.
    """
    shown, other = shown_person(picture, other_id), picture.participants.get(other_id)
    if other is None or _is_listed(other) or state_between(picture, reader_id, other_id) in {"asks", "agreed"}:
        return shown
    return replace(shown, name="", job_title="")


def state_between(picture: EditionPicture, reader_id: str, other_id: str) -> str:
    """Return the state between two participants: the newest of their requests that counts."""
    state = ""
    for request in picture.requests_of(reader_id):
        if other_id not in {request.requester_id, request.target_id}:
            continue
        if request.state is RequestState.ACCEPTED:
            return "agreed"
        if request.state is RequestState.REQUESTED:
            state = "asked" if request.requester_id == reader_id else "asks"
        elif request.state is RequestState.DECLINED and not state:
            state = "declined"
    return state


def facets(picture: EditionPicture) -> tuple[list[str], list[str]]:
    """Return the kinds and the countries of the organisations, for the fields of a search."""
    houses = picture.organisations.values()
    return sorted({house.kind for house in houses}), sorted({house.country for house in houses})


def _strangers(picture: EditionPicture, reader_id: str) -> Iterator[tuple[ParticipantChanged, OrganisationChanged]]:
    """Yield the active people of further organisations, without a block between the two."""
    reader = picture.participants.get(reader_id)
    if reader is None:
        return
    for participant in picture.participants.values():
        house = picture.organisations.get(participant.organisation_id)
        if house is None or participant.status is not Status.ACTIVE or house.status is not Status.ACTIVE:
            continue
        if house.organisation_id == reader.organisation_id or _keeps_apart(reader, participant):
            continue
        yield participant, house


def _keeps_apart(one: ParticipantChanged, other: ParticipantChanged) -> bool:
    sides = ((one, other), (other, one))
    return any({who.participant_id, who.organisation_id} & {*by.blocked_ids} for by, who in sides)


def _is_listed(participant: ParticipantChanged) -> bool:
    consent = participant.consents.get(ConsentSubject.LISTED)
    return consent is not None and consent.granted


def _text_of(participant: ParticipantChanged, house: OrganisationChanged, language: str) -> str:
    name = participant.name if _is_listed(participant) else ""
    profile = participant.profile
    labels = [label_of(code, language) for code in profile.codes]
    return plain(" ".join([name, house.name, *profile.needs, *profile.offers, *profile.codes, *labels]))
