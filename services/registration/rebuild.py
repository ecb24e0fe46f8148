"""Rebuild of registration's documents from its own topics.

Some data is on no topic and is not rebuilt: operators and their API keys, idempotency keys, times of creation, expiry
times of match requests, seat numbers, and the participants that were cancelled with their organisation. The
participants of a session are on the topics and still count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby, pairwise
from typing import Any
from zoneinfo import ZoneInfo

from services.registration.domain.edition import Edition
from services.registration.domain.entity import Entity
from services.registration.domain.match_request import MatchRequest
from services.registration.domain.organisation import Organisation
from services.registration.domain.participant import Participant
from services.registration.domain.parties import STAND_INS
from services.registration.erasure_store import MongoErasureStore
from services.registration.erasures import Erasure
from services.registration.settings import Settings
from services.registration.store import MongoStore, collection_of
from shared.contract.cloudevents import Record, encode
from shared.contract.events import (
    EditionChanged,
    Event,
    MatchRequestChanged,
    OrganisationChanged,
    OrganisationErased,
    ParticipantChanged,
    ParticipantErased,
    RequestState,
    Slot,
)
from shared.contract.topics import MATCH_REQUEST, REGISTRATION
from shared.messaging.topic_log import EditionEvents
from shared.runtime.settings import ConnectionSettings, read_settings
from shared.storage.mongo import Mongo, MongoDatabase
from shared.storage.rebuild import CannotRebuild, Rebuilt, View, side_by_side

_TOO_SHORT_FOR_A_SLOT = {"date": "2000-01-01", "starts": "00:00", "ends": "00:01"}
_NOT_ON_TOPICS = "the operator's keys, idempotency keys, authors of changes, and expiry times of match requests"


class RegistrationRebuilder:
    """Rebuilds registration (`shared.storage.rebuild.Rebuilder`). It consumes no topic: all its input is HTTP."""

    consumed = ()
    published = (REGISTRATION, MATCH_REQUEST)

    def __init__(self) -> None:
        self.settings = read_settings(Settings)

    async def write(
        self,
        database: MongoDatabase,
        edition_id: str,  # noqa: ARG002 - the signature of `Rebuilder`
        consumed: EditionEvents,  # noqa: ARG002 - registration consumes no topic
        published: EditionEvents,
    ) -> Rebuilt:
        """Write the documents of an edition's entities, with empty outboxes."""
        store = MongoStore(database, _publish_nothing)
        await store.prepare()
        entities = list(entities_of(published))
        # Cancelled and declined entities come last: others may have their addresses, names and pairs now.
        for is_over in (False, True):
            group = [entity for entity in entities if _is_over(entity) is is_over]
            await side_by_side(store.of(entity.operator_id).restore(entity, may_lack_key=is_over) for entity in group)
        for erasure in erasures_in(published):
            await MongoErasureStore(database).add(erasure)
        return Rebuilt(len(entities), [f"not on the topics, so not rebuilt: {_NOT_ON_TOPICS}"])

    async def view(self, database: MongoDatabase, edition_id: str) -> View:
        """Return the event of every entity of an edition, by noun and id."""
        entities = await MongoStore(database, _publish_nothing).of_edition(edition_id)
        view: dict[str, dict[str, Any]] = {}
        for entity in entities:
            view.setdefault(entity.NOUN, {})[entity.id] = entity.snapshot().to_json()
        return view


async def newest_of_entities(database: MongoDatabase) -> list[Record]:
    """Return the record of every entity at its present revision: for a broker that lost its records."""
    editions = database[collection_of(Edition)].find({}, {"edition_id": 1})
    store = MongoStore(database, _publish_nothing)
    found = [entity async for document in editions for entity in await store.of_edition(document["edition_id"])]
    return [encode(entity.snapshot()) for entity in found]


async def record_of_key(settings: ConnectionSettings, key: str) -> Record | None:
    """Return the record of the entity with a record key, as the database has it now; None if there is none."""
    edition_id, _, thing = key.partition("/")
    mongo = Mongo(settings)
    try:
        store = MongoStore(mongo.database(read_settings(Settings).database), _publish_nothing)
        events = [entity.snapshot() for entity in await store.of_edition(edition_id)]
    finally:
        await mongo.close()
    return next((encode(event) for event in events if event.thing == thing), None)


def _is_over(entity: Entity) -> bool:
    return entity.gives_way or (isinstance(entity, MatchRequest) and entity.state is RequestState.DECLINED)


def _publish_nothing(_kind: type[Entity], _paths: Sequence[str]) -> None:
    """Do nothing: the events are on the topics already."""


def entities_of(published: EditionEvents) -> Iterator[Entity]:
    """Yield the entities in their newest published revisions. Raises `CannotRebuild`."""
    for edition in published.newest(EditionChanged):
        yield edition_of(edition)
    for organisation in published.newest(OrganisationChanged):
        yield Organisation.stored(_fields(organisation))
    for erased in published.newest(OrganisationErased):
        yield Organisation.stored(_of_erased(erased, Organisation))
    for gone in published.newest(ParticipantErased):
        yield Participant.stored(_of_erased(gone, Participant))
    for participant in published.newest(ParticipantChanged):
        fields = _fields(participant)
        yield Participant.stored(fields | {"waiting_session_ids": list(fields["waiting_since"])})
    for request in published.newest(MatchRequestChanged):
        yield MatchRequest.stored(_fields(request))


def edition_of(event: EditionChanged) -> Edition:
    """Return the edition behind an event. Its days are inferred from its slots; raises `CannotRebuild` if none fit."""
    fields = _fields(event)
    slots = fields.pop("slots")
    length = (event.slots[0].ends_at - event.slots[0].starts_at).total_seconds() / 60 if slots else 15
    edition = Edition.stored(fields | {"slot_minutes": int(length), "days": _days(event.slots, event.timezone)})
    if edition.slots() != event.slots:
        raise CannotRebuild(
            f"edition {event.edition_id}: no days give its slots back (do clocks change while it is held?): "
            "register it again with its days, under its idempotency key"
        )
    return edition


def erasures_in(published: EditionEvents) -> Iterator[Erasure]:
    """Yield the erasures that the topic tells."""
    for kind, event in ((Organisation, OrganisationErased), (Participant, ParticipantErased)):
        for erased in published.newest(event):
            yield Erasure(
                operator_id=erased.operator_id,
                edition_id=erased.edition_id,
                kind=kind.NOUN,
                entity_id=erased.thing_id,
                erased_at=erased.occurred_at,
                due=None,
            )


def _of_erased(event: Event, kind: type[Entity]) -> dict[str, Any]:
    return {**STAND_INS[kind], **_fields(event), "erased_at": event.occurred_at}


def _fields(event: Event) -> dict[str, Any]:
    body = event.to_json()
    at = body.pop("occurred_at")
    for name in ("preview_token", "actor", "changed"):
        body.pop(name, None)
    return body | {"created_at": at, "changed_at": at}


def _days(slots: Sequence[Slot], timezone: str) -> list[dict[str, Any]]:
    """Return the local days that hold the slots, with the gaps between slots as breaks."""
    zone = ZoneInfo(timezone)

    def local(moment: datetime) -> datetime:
        return moment.astimezone(zone)

    def hours(starts: datetime, ends: datetime) -> dict[str, str]:
        return {"starts": local(starts).time().isoformat(), "ends": local(ends).time().isoformat()}

    days = []
    for date, group in groupby(slots, key=lambda slot: local(slot.starts_at).date()):
        of_day = list(group)
        breaks = [
            hours(slot.ends_at, following.starts_at)
            for slot, following in pairwise(of_day)
            if slot.ends_at < following.starts_at
        ]
        days.append({"date": date.isoformat(), **hours(of_day[0].starts_at, of_day[-1].ends_at), "breaks": breaks})
    return days or [_TOO_SHORT_FOR_A_SLOT]
