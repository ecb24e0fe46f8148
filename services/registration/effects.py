"""Effects of changes of facts: the scheduler decides on the next snapshots, and nothing is written."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel

from services.registration.domain.edition import Edition
from services.registration.domain.errors import ChangedMeanwhile
from services.registration.domain.match_request import MatchRequest
from services.registration.domain.organisation import Organisation
from services.registration.domain.participant import Participant
from services.registration.domain.parties import reinstated
from services.registration.internal_clients import InternalClient, InternalClients, ServiceDeclined, ServiceUnavailable
from services.registration.ports import Repository
from services.registration.previews import ChangeStep, PreviewView, facts_of, only_of, participants_in, sessions_outside
from shared.contract.events import AffinityScored, Status
from shared.internal_api.previews import AffinitiesThen, FactsPreview, PreviewCounts, RequestsToPreview

#: Participants whose changes follow from a change and are previewed with it: as many as fit into a request.
_MOST_FOLLOWERS = 1000
_NO_COUNTS = PreviewCounts(encounters=0, moved=0, placed=0, waiting=0, cancelled=0, people=0, mailed=0)
_UNSEEN = (
    "the scheduler cannot tell now what this change would move: try again, or send the same request with ?token=* to "
    "make the change whatever it moves"
)
_TOO_LARGE = (
    "this change is too large for a preview: divide the list, or send the same request with ?token=* to make the "
    "change whatever it moves"
)


def no_effects(*, announced: bool = False) -> PreviewView:
    """Return the preview of changes that move nothing."""
    return PreviewView(effects="", announced=announced, counts=_NO_COUNTS)


@dataclass(frozen=True)
class Effects:
    """Asks the scheduler for the effects of changes, within so many seconds."""

    repository: Repository
    clients: InternalClients
    seconds: float
    #: Whether previews name participants.
    shows_names: bool = True
    #: A participant who asks. The preview then lists this participant's encounters only; the counts are of all.
    own_id: str | None = None

    @property
    def are_known(self) -> bool:
        """Tell whether the installation says where the scheduler is."""
        return self.clients.scheduler.has_address

    async def of(self, edition_id: str, steps: Sequence[ChangeStep], within: float | None = None) -> PreviewView:
        """Return the effects of steps that are made together.

        Raises:
            ServiceUnavailable: the scheduler cannot tell the effects in time.
            ChangedMeanwhile: an entity has changed meanwhile.
        """
        followers = [follower for step in steps for follower in await self._followers(step)]
        requests = [step.after for step in steps if isinstance(step.after, MatchRequest)]
        parties = [step.after for step in steps if not isinstance(step.after, MatchRequest)]
        facts = facts_of(*parties, *followers[:_MOST_FOLLOWERS])
        try:
            async with asyncio.timeout(self.seconds if within is None else within):
                if requests:
                    facts = facts.model_copy(update={"affinities": await self._affinities(edition_id, requests)})
                found = FactsPreview.model_validate(await self._ask(self.clients.scheduler, edition_id, facts))
        except (TimeoutError, ServiceUnavailable) as error:
            raise ServiceUnavailable(_TOO_LARGE if str(error) == _TOO_LARGE else _UNSEEN) from error
        found = only_of(found, self.own_id) if self.own_id else found
        ids = sorted(participants_in(found)) if self.shows_names else []
        people = await self.repository.find_many(Participant, edition_id, ids) if ids else {}
        names = {participant_id: person.name for participant_id, person in sorted(people.items())}
        outside = {name for step in steps for name in sessions_outside(step.after) - sessions_outside(step.before)}
        return PreviewView(**dict(found), outside=tuple(sorted(outside)), names=names)

    async def _affinities(self, edition_id: str, requests: Sequence[MatchRequest]) -> tuple[AffinityScored, ...]:
        """Ask matching for the affinities after match requests. The reasons, which hold texts, are left out."""
        asked = RequestsToPreview(match_requests=tuple(request.snapshot() for request in requests))
        answer = AffinitiesThen.model_validate(await self._ask(self.clients.matching, edition_id, asked))
        return tuple(affinity.model_copy(update={"reasons": ()}) for affinity in answer.affinities)

    @staticmethod
    async def _ask(client: InternalClient, edition_id: str, asked: BaseModel) -> dict[str, Any]:
        body = asked.model_dump(mode="json", exclude_defaults=True)
        try:
            return await client.post(f"/editions/{edition_id}/previews", body)
        except ServiceDeclined as declined:
            if declined.status == HTTPStatus.CONFLICT:
                raise ChangedMeanwhile from declined
            if declined.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
                raise ServiceUnavailable(_TOO_LARGE) from declined
            raise

    async def _followers(self, step: ChangeStep) -> list[Participant]:
        """Return the next revisions of the participants that change along with an edition or an organisation."""
        match step.before, step.after:
            case Edition() as before, Edition() as after if before.calendar != after.calendar:
                there = await self.repository.with_availability(after.edition_id)
                moved = [(participant.following(after), participant) for participant in there]
                followers = [_next(new) for new, old in moved if new is not old]
                return followers if len(followers) <= _MOST_FOLLOWERS else []
            case Organisation(status=Status.CANCELLED), Organisation(status=Status.ACTIVE) as after:
                return await self._returning(after)
        return []

    async def _returning(self, organisation: Organisation) -> list[Participant]:
        """Return the participants that were cancelled with an organisation, as active."""
        edition = await self.repository.recent_edition(organisation.edition_id)
        where = {"organisation_id": organisation.organisation_id, "cancelled_with_organisation": True}
        there = await self.repository.page(Participant, organisation.edition_id, "", _MOST_FOLLOWERS, where)
        if edition is None:
            return []
        return [
            reinstated(participant, edition, organisation.changed_at)
            for participant in there
            if participant.status is Status.CANCELLED and not participant.is_erased and not participant.merged_into
        ]


def _next(participant: Participant) -> Participant:
    return participant.model_copy(update={"revision": participant.revision + 1})
