"""Texts about people: on registration.v1 and in the places of the register only."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from pydantic import BaseModel

from services.registration.domain.organisation import Organisation
from services.registration.domain.participant import Participant
from services.registration.domain.parties import KEPT_IN_ERASURE
from services.registration.store import KINDS
from shared.contract.personal import PERSONAL, text_fields
from shared.contract.topics import REGISTRATION, TOPICS, Topic
from shared.privacy import REGISTER

#: Texts without a person: names that the operator gave to things, and words of ours.
IMPERSONAL = {
    # Of any model: the author of a change as an id, the names of fields, the token of a preview.
    "actor",
    "changed",
    "preview_token",
    "EditionChanged.name",
    "EditionChanged.timezone",
    "OrganisationChanged.region",
    "OrganisationChanged.delegation",
    "Session.title",
    "Zone.name",
    "Zone.tables",
    "AffinityScored.configuration",
    "Reason.detail",
    "AgendaEntry.table",
    "AgendaEntry.title",
    "LevelResult.engine",
    "RemedyStep.table",
    "Place.table",
    "Relaxation.rule",
    "NotificationRecorded.message_id",
    "NotificationRecorded.reason",
    "ConsentRecord.by",
    "ConsentRecord.text_version",
    "PendingAddress.asked_by",
    "PendingAddress.link_sha256",
    # The venue and the function mailbox of an organiser: shown to all participants.
    "Venue.name",
    "Venue.address",
    "HelpContact.email",
    "HelpContact.phone",
    "VenueFacts.name",
    "VenueFacts.address",
    "HelpContactFacts.email",
    "HelpContactFacts.phone",
    # Documents of registration.
    "Edition.name",
    "Edition.timezone",
    "Edition.first_timezone",
    "SessionFacts.title",
    "ZoneFacts.name",
    "ZoneFacts.tables",
    "Organisation.organisation_id",
    "Organisation.region",
    "Organisation.delegation",
    "Participant.participant_id",
    "LocalCalendar.timezone",
    "MatchRequest.request_id",
}


def personal_in(*models: Any) -> set[str]:
    return {field.path for model in models for field in text_fields(model) if field.is_personal}


def in_register(service: str, *places: str) -> set[str]:
    return {field for place in REGISTER if place.service == service and place.name in places for field in place.fields}


@pytest.mark.parametrize(
    "topic", [topic for topic in TOPICS if topic is not REGISTRATION], ids=lambda topic: topic.name
)
def test_no_text_of_a_person_is_on_another_topic_than_registration(topic: Topic) -> None:
    assert personal_in(*topic.events) == set()


@pytest.mark.parametrize("model", [*(event for topic in TOPICS for event in topic.events), *KINDS])
def test_every_free_text_is_marked_as_personal_or_known_to_be_impersonal(model: type[BaseModel]) -> None:
    texts = [field for field in text_fields(model) if field.is_free and not field.is_personal]
    unknown = {field.path for field in texts if IMPERSONAL.isdisjoint({field.path, field.name})}
    assert unknown == set(), "mark it with PERSONAL and add it to shared/privacy.py, or add it to IMPERSONAL"


def test_every_personal_field_of_registration_has_a_place_in_the_register() -> None:
    assert personal_in(*KINDS) == in_register("registration", "participants", "organisations")
    assert personal_in(*REGISTRATION.events) == in_register("broker", REGISTRATION.name)


@pytest.mark.parametrize("kind", [Organisation, Participant])
def test_an_erasure_keeps_no_personal_field(kind: Any) -> None:
    own = {field.name for field in text_fields(kind) if field.is_personal and field.model == kind.__name__}
    assert own
    assert own.isdisjoint(KEPT_IN_ERASURE[kind])


def test_a_marker_is_found_in_any_nesting() -> None:
    class Inner(BaseModel):
        texts: dict[str, tuple[Annotated[str, PERSONAL], ...] | None] = {}

    class Outer(BaseModel):
        inner: list[Inner] | None = None

    assert {(field.path, field.is_personal) for field in text_fields(Outer)} == {
        ("Inner.texts", False),
        ("Inner.texts", True),
    }
