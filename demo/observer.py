"""The view of an integration: a plain Kafka consumer that keeps the newest state of everything on every topic."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Self, TypeVar

from aiokafka import AIOKafkaConsumer

from shared.contract.cloudevents import decode
from shared.contract.events import (
    AffinityScored,
    AgendaChanged,
    Consent,
    DeliveryState,
    EditionChanged,
    EncounterChanged,
    EncounterState,
    Event,
    MatchRequestChanged,
    NotificationRecorded,
    RequestState,
)
from shared.contract.ids import encounter_id
from shared.contract.topics import TOPICS

PLACED = frozenset({EncounterState.SCHEDULED, EncounterState.MOVED})
#: States of a delivery after which the participant knows the agenda.
_NOTIFIED = frozenset({DeliveryState.SENT, DeliveryState.SKIPPED})
_ASK_EVERY_SECONDS = 0.05
#: Tansu answers a fetch that finds nothing when this is over, and not before, whatever comes meanwhile.
_FETCH_WAIT_MS = 100

E = TypeVar("E", bound=Event)
Pair = tuple[str, str]


class TooLate(Exception):
    """A condition of the demo was not met in time. The message names the condition and what is missing."""


class Observed:
    """The newest state of everything observed, the times of acceptances and the times of first publication."""

    def __init__(self) -> None:
        self._things: dict[type[Event], dict[str, Event]] = {}
        self._accepted_at: dict[str, int] = {}
        self._published_at: dict[str, int] = {}
        self._granted: dict[Pair, AffinityScored] = {}
        self._answered: set[Pair] = set()
        #: Ids of the match requests whose pair was scored.
        self.scored: set[str] = set()
        self.events = 0
        self.mails = 0

    def record(self, event: Event, timestamp_ms: int) -> None:
        """Keep the event unless a newer revision is known. `timestamp_ms` is the timestamp of its record."""
        things = self._things.setdefault(type(event), {})
        known = things.get(event.thing_id)
        if known is not None and known.revision >= event.revision:
            return
        things[event.thing_id] = event
        self.events += 1
        if isinstance(event, MatchRequestChanged) and event.state is RequestState.ACCEPTED and event.target_id:
            encounter = encounter_id(event.edition_id, event.requester_id, event.target_id)
            self._accepted_at.setdefault(encounter, timestamp_ms)
        elif isinstance(event, AffinityScored):
            self.scored.update(event.request_ids)
            self._granted.pop(event.participant_ids, None)
            if event.consent is Consent.GRANTED:
                self._granted[event.participant_ids] = event
        elif isinstance(event, EncounterChanged):
            if event.state in PLACED or event.state is EncounterState.WAITING:
                self._answered.add(event.participant_ids)
            else:
                self._answered.discard(event.participant_ids)
        elif isinstance(event, AgendaChanged):
            for entry in event.entries:
                self._published_at.setdefault(entry.entry_id, timestamp_ms)
        elif isinstance(event, NotificationRecorded) and event.state is DeliveryState.SENT:
            self.mails += 1

    def all(self, kind: type[E]) -> dict[str, E]:
        """The newest state of everything of a kind, by id."""
        return self._things.get(kind, {})  # type: ignore[return-value]  # filed under its own type

    @property
    def edition(self) -> EditionChanged:
        """The edition of the run."""
        return next(iter(self.all(EditionChanged).values()))

    def granted(self) -> list[AffinityScored]:
        """The pairs with the consent of both sides."""
        return list(self._granted.values())

    def placed(self) -> dict[str, EncounterChanged]:
        """The encounters that have a slot and a table."""
        return {key: encounter for key, encounter in self.all(EncounterChanged).items() if encounter.state in PLACED}

    def unanswered_pairs(self) -> list[AffinityScored]:
        """The granted pairs whose encounter is neither placed nor waiting."""
        return [self._granted[pair] for pair in self._granted.keys() - self._answered]

    def waiting(self) -> list[EncounterChanged]:
        """The wanted encounters without a slot."""
        return [
            encounter for encounter in self.all(EncounterChanged).values() if encounter.state is EncounterState.WAITING
        ]

    def announced(self) -> dict[str, AgendaChanged]:
        """The agendas that are no longer provisional."""
        return {key: agenda for key, agenda in self.all(AgendaChanged).items() if not agenda.provisional}

    def unnotified(self) -> list[AgendaChanged]:
        """The announced agendas whose newest revision was neither mailed nor skipped."""
        notifications = self.all(NotificationRecorded)
        return [
            agenda
            for key, agenda in self.announced().items()
            if (note := notifications.get(key)) is None
            or note.state not in _NOTIFIED
            or note.agenda_revision < agenda.revision
        ]

    def seconds_to_publish(self) -> list[float]:
        """Seconds from the acceptance of a request to the first published agenda with its encounter, ascending."""
        published = self._published_at
        return sorted(
            max(0, published[encounter] - accepted) / 1000
            for encounter, accepted in self._accepted_at.items()
            if encounter in published
        )


class Observer:
    """Follows every topic from its beginning, and waits for conditions."""

    def __init__(self, bootstrap: str) -> None:
        self.seen = Observed()
        self._consumer = AIOKafkaConsumer(
            *(topic.name for topic in TOPICS),
            bootstrap_servers=bootstrap,
            group_id=None,
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            fetch_max_wait_ms=_FETCH_WAIT_MS,
        )
        self._following: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._consumer.start()
        self._following = asyncio.create_task(self._follow())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._following is not None:
            self._following.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._following
        await self._consumer.stop()

    async def _follow(self) -> None:
        while True:
            batches = await self._consumer.getmany(timeout_ms=200)
            for batch in batches.values():
                for record in batch:
                    self.seen.record(decode(record.headers, record.value), record.timestamp)

    async def until(self, missing: Callable[[], Awaitable[str]], what: str, seconds: float) -> None:
        """Poll `missing` until its answer is empty. `what` names the condition in the error.

        Raises:
            TooLate: the answer was not empty for `seconds`.
        """
        deadline = time.monotonic() + seconds
        while what_is_missing := await missing():
            if self._following is not None and self._following.done():
                self._following.result()
            if time.monotonic() > deadline:
                raise TooLate(f"After {seconds:.0f} s it is still not so that {what}: {what_is_missing}.")
            await asyncio.sleep(_ASK_EVERY_SECONDS)
