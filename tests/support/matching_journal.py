"""Matching on servers in memory, with small models, and events as inputs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import httpx

from services.matching.app import Models, assemble
from services.matching.domain.text.ngrams import NgramScorer
from services.matching.domain.text.scorer import TextScorer
from services.matching.encoders import use_encoder
from services.matching.observatory.leiden import communities
from services.matching.observatory.picture import Communities
from services.matching.profile_help import ProfileHelp
from services.matching.settings import Settings
from services.matching.vocabulary import labels, vocabulary
from shared.app import make_app
from shared.contract.events import AffinityScored, Event
from shared.contract.topics import topic_of
from shared.messaging.inputs import Input, Position
from tests.support.servers import Servers

SETTINGS = Settings(internal_token="t0ken", snapshot_every=2)


class MatchingHarness:
    """A process of matching; processes on the same servers share their journals."""

    def __init__(
        self,
        now: datetime,
        servers: Servers | None = None,
        *,
        quality: TextScorer | None = None,
        divide: Communities = communities,
        monotonic: Callable[[], float] = lambda: 0.0,
        **settings: Any,
    ) -> None:
        self.servers = servers or Servers()
        models = Models(
            scorers=[NgramScorer()],
            default=NgramScorer(),
            quality=quality,
            helper=ProfileHelp(use_encoder, vocabulary),
            communities=divide,
            labels=labels,
        )
        infrastructure = self.servers.infrastructure(lambda: now, monotonic)
        wired = assemble(SETTINGS.model_copy(update=settings), infrastructure, models)
        self.runtime, self.journal, self.matching, self.rescorer = (
            wired.runtime,
            wired.journal,
            wired.matching,
            wired.rescorer,
        )

    @property
    def sent(self) -> list[AffinityScored]:
        """The published affinities of all processes on these servers, in order."""
        return [event for event in self.servers.published if isinstance(event, AffinityScored)]

    async def consume(self, *events: Event, edition_id: str = "ed1") -> None:
        """Have matching consume events as one batch."""
        await self.matching.consume(edition_id, inputs_of(*events))

    async def rescore(self) -> None:
        """Rescore with the quality tier."""
        assert self.rescorer is not None, "this process has no quality tier"
        await self.rescorer.rescore()

    def client(self) -> httpx.AsyncClient:
        """Return a client of the internal API, with its token."""
        return httpx.AsyncClient(
            transport=httpx.ASGITransport(make_app(self.runtime)),
            base_url="http://matching",
            headers={"Authorization": "Bearer t0ken"},
        )


def inputs_of(*events: Event) -> list[Input]:
    return [Input(event, Position(topic_of(event).name, 0, offset)) for offset, event in enumerate(events)]
