"""The declaration of every topic: its events, the service that sends them, and their retention."""

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
    OrganisationErased,
    ParticipantChanged,
    ParticipantErased,
)

DLQ_SUFFIX = ".dlq"
#: Dead letters are few, and `tertulia dlq list` shows them in one order.
DLQ_PARTITIONS = 1


@dataclass(frozen=True)
class Topic:
    """A topic of the contract. With `retention` None, compaction keeps the newest record of a key for ever.

    `source` is the only service that writes to it, `consumers` are the services that read it. A `personal` topic holds
    texts of people: its dead letters keep no body. `erased_within` is the time after which a replaced record is gone.
    """

    name: str
    summary: str
    source: str
    events: tuple[type[Event], ...]
    consumers: tuple[str, ...] = ()
    public: bool = False
    retention: timedelta | None = None
    personal: bool = False
    erased_within: timedelta | None = None

    @property
    def dlq(self) -> str:
        """The name of the topic for the dead letters of this topic."""
        return self.name + DLQ_SUFFIX


REGISTRATION = Topic(
    name="registration.v1",
    summary="Snapshots of editions, organisations and participants. Holds personal data.",
    source="registration",
    events=(EditionChanged, OrganisationChanged, ParticipantChanged, OrganisationErased, ParticipantErased),
    consumers=("matching", "scheduler", "notify", "portal", "events"),
    personal=True,
    erased_within=timedelta(hours=24),
)
MATCH_REQUEST = Topic(
    name="match-request.v1",
    summary="Match requests and their states.",
    source="registration",
    events=(MatchRequestChanged,),
    consumers=("matching", "portal", "events"),
)
AFFINITY = Topic(
    name="affinity.v1",
    summary="The score of a pair, its reasons and its consent.",
    source="matching",
    events=(AffinityScored,),
    consumers=("scheduler", "notify", "portal"),
)
AGENDA = Topic(
    name="agenda.v1",
    summary="A participant's whole agenda at a revision, its changes and their causes.",
    source="scheduler",
    events=(AgendaChanged,),
    consumers=("notify", "portal", "events"),
    public=True,
)
ENCOUNTER = Topic(
    name="encounter.v1",
    summary="The life of an encounter.",
    source="scheduler",
    events=(EncounterChanged,),
    consumers=("matching", "portal", "events"),
    public=True,
)
NOTIFICATION = Topic(
    name="notification.v1",
    summary="The outcome of each notification, with the participant's id.",
    source="notify",
    events=(NotificationRecorded,),
    retention=timedelta(days=90),
)

TOPICS: tuple[Topic, ...] = (REGISTRATION, MATCH_REQUEST, AFFINITY, AGENDA, ENCOUNTER, NOTIFICATION)
DLQ_RETENTION = timedelta(days=30)

EVENT_TYPES: dict[str, type[Event]] = {event.TYPE: event for topic in TOPICS for event in topic.events}
_TOPIC_BY_EVENT: dict[type[Event], Topic] = {event: topic for topic in TOPICS for event in topic.events}


def group_of(service: str) -> str:
    """Return the consumer group of a service."""
    return f"tertulia-{service}"


def topics_of(service: str) -> tuple[Topic, ...]:
    """Return the topics that a service consumes."""
    return tuple(topic for topic in TOPICS if service in topic.consumers)


def is_personal(name: str) -> bool:
    """Tell whether the topic of a name holds texts of people."""
    return any(topic.name == name and topic.personal for topic in TOPICS)


def topic_of(event: Event) -> Topic:
    """Return the topic of an event. The event's class determines it, so that topic and schema always agree."""
    return _TOPIC_BY_EVENT[type(event)]
