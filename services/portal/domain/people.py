"""People as pages show them to further people."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass

from services.portal.domain.picture import EditionPicture


@dataclass(frozen=True)
class ShownPerson:
    """A participant as further participants read it. `name` is empty if the person was erased or is not known yet."""

    participant_id: str
    name: str
    job_title: str
    organisation: str
    country: str


def shown_person(picture: EditionPicture, participant_id: str, organisation_id: str | None = None) -> ShownPerson:
    """Return a participant, with the organisation that an encounter was arranged for, or the present organisation."""
    participant = picture.participants.get(participant_id)
    house_id = organisation_id or (participant.organisation_id if participant else "")
    organisation = picture.organisations.get(house_id)
    return ShownPerson(
        participant_id=participant_id,
        name=participant.name if participant else "",
        job_title=(participant.job_title or "") if participant else "",
        organisation=organisation.name if organisation else "",
        country=organisation.country if organisation else "",
    )


def plain(text: str) -> str:
    """Return the text without accents and case, for comparisons."""
    decomposed = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in decomposed if not unicodedata.combining(character))
