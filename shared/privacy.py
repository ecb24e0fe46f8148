"""The register of personal data: the places that keep it, its purpose, its duration, and its readers.

`docs/privacy.md` is written from it, the dry run of an erasure and the export of a person's data name its places, and
`tests/contract/test_privacy.py` compares it with the fields of all models.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


class _Personal:
    """The marker of a field that holds text about a person or an organisation: an erasure empties it."""


#: In the annotation of a field: `name: Annotated[Line, PERSONAL]`.
PERSONAL: Final = _Personal()


@dataclass(frozen=True)
class DataPlace:
    """A place that keeps personal data.

    Attributes:
        service: the service that keeps it.
        name: the collection, the topic, or the file.
        holds: the data, in plain words.
        purpose: the use of the data.
        duration: the time for which it is kept.
        readers: the people and programs that see it.
        goes: whether an erasure removes the data. Ids stay.
    """

    service: str
    name: str
    holds: str
    purpose: str
    duration: str
    readers: str
    goes: bool = True


REGISTER: Final[tuple[DataPlace, ...]] = (
    DataPlace(
        "registration",
        "participants",
        "name, address, telephone, job title, id in the operator's system, languages, offers, needs, availability, "
        "sessions, blocks and declines",
        "to invite the person, to find partners, to make agendas",
        "until erasure, or the retention of the edition",
        "the operator's keys and staff, by their rights",
    ),
    DataPlace(
        "registration",
        "organisations",
        "name, region, delegation, website, description, booth, telephone, codes, competitors, earlier encounters",
        "to name the organisation to its partners, to find partners",
        "until erasure, or the retention of the edition",
        "the operator's keys and staff, by their rights",
    ),
    DataPlace(
        "registration",
        "amendments",
        "availability, sessions and blocks before a change",
        "to undo a change",
        "7 days",
        "the operator's keys and staff, by their rights",
    ),
    DataPlace(
        "broker",
        "registration.v1",
        "all that the participant and the organisation hold in registration",
        "to tell the other services",
        "until a day after the next change or the erasure (compaction)",
        "the services",
    ),
    DataPlace(
        "registration",
        "erasures",
        "ids and the time of the erasure",
        "to erase a restored backup again",
        "for ever",
        "administrators",
        goes=False,
    ),
    DataPlace(
        "registration",
        "match_requests",
        "ids of requester and target, priority, state",
        "to place encounters, to count",
        "for ever",
        "the operator's keys and staff, by their rights",
        goes=False,
    ),
    DataPlace(
        "scheduler",
        "journal and snapshots; agenda.v1, encounter.v1",
        "ids, places, times, attendance",
        "agendas, counts, and their history",
        "for ever",
        "participants their own agenda; the operator all",
        goes=False,
    ),
)
