"""The services on the same servers in memory: requests in, and every event through every consumer."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta

import httpx

from services.matching import app as matching
from services.matching.domain.text.ngrams import NgramScorer
from services.matching.encoders import use_encoder
from services.matching.observatory.leiden import communities
from services.matching.profile_help import ProfileHelp
from services.matching.settings import Settings as MatchingSettings
from services.matching.vocabulary import labels, vocabulary
from services.notify import app as notify
from services.notify.rendering.mail import MailWriter
from services.notify.settings import Settings as NotifySettings
from services.registration.app import make_api
from services.registration.settings import Settings as RegistrationSettings
from services.scheduler import app as scheduler
from services.scheduler.settings import Settings as SchedulerSettings
from shared.app import Infrastructure
from shared.contract.events import Event
from shared.contract.topics import AFFINITY, AGENDA, ENCOUNTER, MATCH_REQUEST, REGISTRATION, Topic, topic_of
from shared.messaging.inputs import Input, Position
from tests.support.notify_stage import FakeMailer
from tests.support.registration_api import NO_RATES, OPERATORS, assembled, set_up_database
from tests.support.scheduler_service import ControlledSolver
from tests.support.servers import Servers

Consume = Callable[[str, Sequence[Input]], Awaitable[None]]
_SCHEDULER = SchedulerSettings(quiet_seconds=1, improve_rounds=1, improve_round_effort=0.01, improve_steps=20)


class Product:
    """Registration's API, and the consumers behind it, which `drain` feeds until nothing more is published."""

    def __init__(self) -> None:
        self.moment = datetime(2026, 11, 1, 9, tzinfo=UTC)
        self.seconds = 0.0
        self.servers = Servers()
        self._registration = assembled(self._infrastructure(), settings=RegistrationSettings(**NO_RATES))
        self._api = make_api(self._registration.context)
        models = matching.Models(
            scorers=[NgramScorer()],
            default=NgramScorer(),
            quality=None,
            helper=ProfileHelp(use_encoder, vocabulary),
            communities=communities,
            labels=labels,
        )
        settings = NotifySettings()
        self.mailer = FakeMailer()
        self._matching = matching.assemble(MatchingSettings(), self._infrastructure(), models).matching
        self._scheduler = scheduler.assemble(_SCHEDULER, self._infrastructure(), ControlledSolver()).scheduler
        wired = notify.assemble(settings, self._infrastructure(), self.mailer, MailWriter(settings, self._now))
        self._notify, self._relay = wired.notify, wired.relay
        self._consumers: list[tuple[Consume, tuple[Topic, ...]]] = [
            (self._matching.consume, (REGISTRATION, MATCH_REQUEST, ENCOUNTER)),
            (self._scheduler.consume, (REGISTRATION, AFFINITY)),
            (self._notify.consume, (REGISTRATION, AGENDA, AFFINITY)),
        ]
        self._consumed = 0

    async def set_up(self) -> None:
        """Create registration's indexes, and store its operators."""
        await set_up_database(self._registration, self.servers)

    def client(self) -> httpx.AsyncClient:
        """Return a client of registration's API."""
        headers = {"Authorization": f"Bearer itecam.{OPERATORS['itecam']}"}
        transport = httpx.ASGITransport(self._api)
        return httpx.AsyncClient(transport=transport, base_url="http://registration/v1", headers=headers)

    async def drain(self) -> None:
        """Feed the published events to their consumers, until nothing more is published. Exceptions are raised."""
        await self._registration.publisher.drain()
        while new := self.servers.published[self._consumed :]:
            self._consumed += len(new)
            for consume, topics in self._consumers:
                for edition_id, inputs in _by_edition(new, topics).items():
                    await consume(edition_id, inputs)

    async def announce(self) -> None:
        """Let an hour pass: agendas are improved, announced and mailed."""
        for _ in range(3):
            self.moment += timedelta(minutes=20)
            self.seconds += 1200
            await self._scheduler.improver.improve_quiet_editions()
            await self.drain()
            await self._notify.deliver_due()
            await self._relay.drain()

    def _infrastructure(self) -> Infrastructure:
        return self.servers.infrastructure(self._now, lambda: self.seconds)

    def _now(self) -> datetime:
        return self.moment


def _by_edition(events: Sequence[Event], topics: Sequence[Topic]) -> dict[str, list[Input]]:
    inputs: defaultdict[str, list[Input]] = defaultdict(list)
    for offset, event in enumerate(events):
        if topic_of(event) in topics:
            inputs[event.edition_id].append(Input(event, Position(topic_of(event).name, 0, offset)))
    return inputs
