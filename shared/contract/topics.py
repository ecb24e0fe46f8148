"""Every topic, declared once: its events, who sends them, its partitions and how long it keeps them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from shared.contract.events import (
    AffinityScored,
    AgendaChanged,
    EditionChanged,
    EncounterChanged,
    Event,
    MatchRequestChanged,
    NotificationRecorded,
    OrganisationChanged,
    ParticipantChanged,
)

DLQ_SUFFIX = ".dlq"
#: Dead letters are few, and their order is that of one list.
DLQ_PARTITIONS = 1


@dataclass(frozen=True)
class Topic:
    """A topic of the contract. `retention` of `None` keeps the newest record of each key for ever (compaction)."""

    name: str
    summary: str
    source: str
    events: tuple[type[Event], ...]
    public: bool = False
    retention: timedelta | None = None

    @property
    def dlq(self) -> str:
        """The name of the topic for records of this one that could not be processed."""
        return self.name + DLQ_SUFFIX


REGISTRATION = Topic(
    name="registration.v1",
    summary="Snapshots of editions, organisations and participants. Holds personal data.",
    source="registration",
    events=(EditionChanged, OrganisationChanged, ParticipantChanged),
)
MATCH_REQUEST = Topic(
    name="match-request.v1",
    summary="Match requests and how they stand.",
    source="registration",
    events=(MatchRequestChanged,),
)
AFFINITY = Topic(
    name="affinity.v1",
    summary="The score of a pair, its reasons and its consent.",
    source="matching",
    events=(AffinityScored,),
)
AGENDA = Topic(
    name="agenda.v1",
    summary="A participant's whole agenda at a revision, what changed, and why.",
    source="scheduler",
    events=(AgendaChanged,),
    public=True,
)
ENCOUNTER = Topic(
    name="encounter.v1",
    summary="The life of an encounter.",
    source="scheduler",
    events=(EncounterChanged,),
    public=True,
)
NOTIFICATION = Topic(
    name="notification.v1",
    summary="What was sent, to whom (by id), or why not.",
    source="notify",
    events=(NotificationRecorded,),
    retention=timedelta(days=90),
)

TOPICS: tuple[Topic, ...] = (REGISTRATION, MATCH_REQUEST, AFFINITY, AGENDA, ENCOUNTER, NOTIFICATION)
DLQ_RETENTION = timedelta(days=30)

EVENT_TYPES: dict[str, type[Event]] = {event.TYPE: event for topic in TOPICS for event in topic.events}
_TOPIC_BY_EVENT: dict[type[Event], Topic] = {event: topic for topic in TOPICS for event in topic.events}


def group_of(service: str) -> str:
    """The consumer group of a service."""
    return f"tertulia-{service}"


def topic_of(event: Event) -> Topic:
    """The one topic an event goes to: key, schema and topic cannot disagree."""
    return _TOPIC_BY_EVENT[type(event)]
