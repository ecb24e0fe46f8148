"""Registration's documents: it is the source, and its topics hold all but what no other service needs.

Not on the bus, so not rebuilt: operators and their keys, idempotency keys, when entities were created, until when match
requests may be answered, and the numbers of seats (who attends a session is, and counts as before).
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
from services.registration.settings import Settings
from services.registration.store import MongoStore
from shared.contract.events import (
    EditionChanged,
    Event,
    MatchRequestChanged,
    OrganisationChanged,
    ParticipantChanged,
    Slot,
)
from shared.contract.topics import MATCH_REQUEST, REGISTRATION
from shared.messaging.topic_log import EditionEvents
from shared.storage.mongo import MongoDatabase
from shared.storage.rebuild import CannotRebuild, Rebuilt, View, side_by_side

_TOO_SHORT_FOR_A_SLOT = {"date": "2000-01-01", "starts": "00:00", "ends": "00:01"}
_NOT_ON_THE_BUS = "the operator's keys, idempotency keys, and until when match requests may be answered"


class RegistrationRebuilder:
    """See `core.Rebuilder`. It hears nothing: all it knows it was told over HTTP."""

    consumed = ()
    published = (REGISTRATION, MATCH_REQUEST)

    def __init__(self) -> None:
        self.settings = Settings()

    async def write(
        self,
        database: MongoDatabase,
        edition_id: str,  # noqa: ARG002 - the signature of `Rebuilder`
        consumed: EditionEvents,  # noqa: ARG002 - registration consumes no topic
        published: EditionEvents,
    ) -> Rebuilt:
        """Write a document for each entity of an edition, with nothing in its outbox."""
        store = MongoStore(database, _silent)
        await store.prepare()
        entities = list(entities_of(published))
        await side_by_side(store.of(entity.operator_id).restore(entity) for entity in entities)
        return Rebuilt(len(entities), [f"not on the bus: {_NOT_ON_THE_BUS}"])

    async def view(self, database: MongoDatabase, edition_id: str) -> View:
        """What the bus would be told of each entity as it stands."""
        entities = await MongoStore(database, _silent).of_edition(edition_id)
        view: dict[str, dict[str, Any]] = {}
        for entity in entities:
            view.setdefault(entity.NOUN, {})[entity.id] = entity.snapshot().to_json()
        return view


def _silent(_kind: type[Entity], _path: str) -> None:
    """Nothing is said of what the bus has already."""


def entities_of(published: EditionEvents) -> Iterator[Entity]:
    """The entities as their newest snapshots say. Raises `CannotRebuild`."""
    for edition in published.newest(EditionChanged):
        yield edition_of(edition)
    for organisation in published.newest(OrganisationChanged):
        yield Organisation.stored(_fields(organisation))
    for participant in published.newest(ParticipantChanged):
        yield Participant.stored(_fields(participant))
    for request in published.newest(MatchRequestChanged):
        yield MatchRequest.stored(_fields(request))


def edition_of(event: EditionChanged) -> Edition:
    """The edition that says this. Its days are read off its slots. Raises `CannotRebuild` if they cannot be."""
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


def _fields(event: Event) -> dict[str, Any]:
    body = event.to_json()
    at = body.pop("occurred_at")
    return body | {"created_at": at, "changed_at": at}


def _days(slots: Sequence[Slot], timezone: str) -> list[dict[str, Any]]:
    """The local days that hold the slots, with the gaps between them as breaks."""
    zone = ZoneInfo(timezone)

    def local(moment: datetime) -> datetime:
        return moment.astimezone(zone)

    def hours(starts: datetime, ends: datetime) -> dict[str, str]:
        return {"starts": local(starts).time().isoformat(), "ends": local(ends).time().isoformat()}

    days = []
    for date, group in groupby(slots, key=lambda slot: local(slot.starts_at).date()):
        some = list(group)
        breaks = [hours(one.ends_at, other.starts_at) for one, other in pairwise(some) if one.ends_at < other.starts_at]
        days.append({"date": date.isoformat(), **hours(some[0].starts_at, some[-1].ends_at), "breaks": breaks})
    return days or [_TOO_SHORT_FOR_A_SLOT]
