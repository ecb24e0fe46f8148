"""The register of personal data: the places that keep it, its purpose, its duration, and its readers.

`docs/privacy.md` is written from it, the dry run of an erasure names its places, and `tests/contract/test_privacy.py`
compares it with the personal fields of all models.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


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
        fields: the personal fields of the models that are kept there, as `Model.field`.
        goes: whether an erasure removes the data. Ids stay.
    """

    service: str
    name: str
    holds: str
    purpose: str
    duration: str
    readers: str
    fields: tuple[str, ...] = ()
    goes: bool = True


_OF_PERSON: Final = ("name", "email", "job_title", "phone", "external_id")
_OF_ORGANISATION: Final = ("name", "website", "description", "booth", "phone", "external_id")
_UNTIL_ERASURE: Final = "until the erasure"
_OPERATOR: Final = "the operator's keys and staff, by their rights"

REGISTER: Final[tuple[DataPlace, ...]] = (
    DataPlace(
        "registration",
        "participants",
        "name, address, a new address until it is confirmed, telephone, job title, id in the operator's system, "
        "languages, offers, needs, availability, sessions, blocks, declines, consents; keys of searches",
        "to invite a person, to find partners, to make agendas",
        _UNTIL_ERASURE,
        _OPERATOR,
        (
            *(f"Participant.{name}" for name in _OF_PERSON),
            "ProfileFacts.offers",
            "ProfileFacts.needs",
            "PendingAddress.email",
        ),
    ),
    DataPlace(
        "registration",
        "organisations",
        "name, region, delegation, website, description, booth, telephone, codes, competitors, earlier encounters; "
        "keys of searches",
        "to name the organisation to its partners, to find partners",
        _UNTIL_ERASURE,
        _OPERATOR,
        tuple(f"Organisation.{name}" for name in _OF_ORGANISATION),
    ),
    DataPlace(
        "registration",
        "amendments, amendment_members",
        "the fields before a change of the last days",
        "to undo a change or an import",
        "7 days",
        _OPERATOR,
    ),
    DataPlace(
        "broker",
        "registration.v1",
        "the fields of participants and organisations",
        "to tell the other services",
        "a day after the next change or the erasure (compaction)",
        "the services",
        (
            *(f"ParticipantChanged.{name}" for name in _OF_PERSON),
            "Profile.offers",
            "Profile.needs",
            *(f"OrganisationChanged.{name}" for name in _OF_ORGANISATION),
        ),
    ),
    DataPlace(
        "matching",
        "people",
        "offers and needs",
        "to score pairs",
        _UNTIL_ERASURE,
        "the service",
    ),
    DataPlace(
        "notify",
        "people",
        "name, address, offers and needs of participants; names of organisations",
        "to write mails, pages and calendars",
        _UNTIL_ERASURE,
        "the participant and the partners",
    ),
    DataPlace(
        "mail server",
        "sent mails",
        "names, offers, needs and agendas in mails",
        "to tell people their agendas",
        "as the operator of the mail server says: outside of Tertulia",
        "the addressees",
        goes=False,
    ),
    DataPlace(
        "registration",
        "erasures",
        "ids, and the time of the erasure",
        "to erase a restored backup again",
        "for ever",
        "administrators",
        goes=False,
    ),
    DataPlace(
        "registration",
        "match_requests; match-request.v1",
        "ids of requester and target, priority, state",
        "to place encounters, to count",
        "for ever",
        _OPERATOR,
        goes=False,
    ),
    DataPlace(
        "scheduler",
        "journal; agenda.v1, encounter.v1",
        "ids, places, times, attendance",
        "agendas, counts, and their history",
        "for ever",
        "participants their own agenda, the operator all",
        goes=False,
    ),
    DataPlace(
        "matching",
        "journal; affinity.v1",
        "ids, scores, codes",
        "to propose and to place pairs",
        "for ever",
        _OPERATOR,
        goes=False,
    ),
    DataPlace(
        "notify",
        "journal, deliveries; notification.v1",
        "ids, times, the lines of an agenda by ids",
        "to mail once, and to tell what was mailed",
        "for ever; notification.v1 for 90 days",
        _OPERATOR,
        goes=False,
    ),
)
