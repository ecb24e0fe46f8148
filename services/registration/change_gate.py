"""The gate in front of every change of facts: a dry run stops there, and a large change needs its token."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from http import HTTPStatus

from services.registration.amendments import Amendments, amendment_of
from services.registration.confirmation import ANY_EFFECTS, Previewed, confirmation_needed, must_be_confirmed, token_of
from services.registration.domain.edition import Edition
from services.registration.domain.entity import Entity
from services.registration.domain.errors import ChangedMeanwhile
from services.registration.domain.participant import Participant
from services.registration.internal_clients import InternalClient, ServiceDeclined, ServiceUnavailable
from services.registration.ports import Repository
from services.registration.previews import (
    PreviewView,
    facts_in,
    facts_of,
    needs_look,
    participants_in,
    sessions_outside,
    too_many,
)
from shared.internal_api.previews import FactsPreview, PreviewCounts
from shared.runtime.log import get_logger

_log = get_logger(__name__)

#: Longest look at the effects of a participant's change, which is made even if the scheduler does not answer.
_SHORT_LOOK_SECONDS = 1.0
#: Participants whose availability is previewed with a move of the days: as many as fit into a request.
_MOST_FOLLOWERS = 1000
_NO_COUNTS = PreviewCounts(encounters=0, moved=0, placed=0, waiting=0, cancelled=0, people=0, mailed=0)


@dataclass
class ChangeGate:
    """Admits a change once its sender knows the effects. `token` confirms them; a dry run admits nothing.

    `previewed` are the effects of the last change that was looked at. `undoes` is the amendment that is undone.
    """

    repository: Repository
    amendments: Amendments
    scheduler: InternalClient
    seconds: float
    dry_run: bool = False
    token: str | None = None
    previewed: Previewed[PreviewView] | None = None
    undoes: str | None = None
    #: The entity that the request changes. Changes that follow from it need no confirmation of their own.
    _asked_for: str | None = None

    async def admits(self, before: Entity, after: Entity) -> bool:
        """Tell whether the next revision is to be written.

        Raises:
            PreviewRequired: the change moves more than the edition allows without a token.
            PreviewStale: the token confirms different effects.
            ServiceUnavailable: the scheduler cannot tell the effects of a change that needs a look.
            ChangedMeanwhile: the entity has changed meanwhile.
        """
        self._asked_for = self._asked_for or before.id
        if before.id != self._asked_for:
            return not self.dry_run
        if self.dry_run:
            self.previewed = await self._preview(before, after, self.seconds)
            return False
        if self.token == ANY_EFFECTS:
            return True
        if self.token is not None:
            self.previewed = await self._preview(before, after, self.seconds)
            must_be_confirmed(self.token, self.previewed)
            return True
        edition = await self._edition_of(before)
        if edition is not None and self.scheduler.has_address and needs_look(edition, before, after):
            await self._look(edition, before, after)
        return True

    async def passed(self, before: Entity, after: Entity) -> None:
        """Keep the fields before the change, so that it can be undone."""
        if before.id != self._asked_for:
            return
        amendment = amendment_of(before, after, self.token, self.undoes)
        if amendment is not None:
            await self.amendments.add(amendment)

    def unchanged(self, entity: Entity) -> Previewed[PreviewView]:
        """Return the preview of a change that changes nothing."""
        preview = PreviewView(effects="", announced=False, counts=_NO_COUNTS)
        return Previewed(token_of(entity.id, entity.revision), preview)

    async def _look(self, edition: Edition, before: Entity, after: Entity) -> None:
        """Look at the effects of a change, and refuse it if they are too many.

        A change of a participant or an organisation moves few encounters: it is made if the scheduler is away.
        """
        is_edition = isinstance(before, Edition)
        try:
            seconds = self.seconds if is_edition else min(self.seconds, _SHORT_LOOK_SECONDS)
            previewed = await self._preview(before, after, seconds)
        except ServiceUnavailable:
            if is_edition:
                raise
            _log.warning("change_made_unseen", kind=before.NOUN, id=before.id, revision=after.revision)
            return
        if (reason := too_many(edition, previewed.preview)) is not None:
            raise confirmation_needed(previewed, reason)

    async def _preview(self, before: Entity, after: Entity, seconds: float) -> Previewed[PreviewView]:
        """Ask the scheduler for the effects, within so many seconds."""
        path = f"/editions/{after.edition_id}/previews"
        body = facts_of(after, *await self._followers(before, after)).model_dump(mode="json")
        try:
            async with asyncio.timeout(seconds):
                found = FactsPreview.model_validate(await self.scheduler.post(path, body))
        except (TimeoutError, ServiceUnavailable) as error:
            raise ServiceUnavailable(
                "the scheduler cannot tell now what this change would move: try again, or send the same request with "
                "?token=* to make the change whatever it moves"
            ) from error
        except ServiceDeclined as declined:
            if declined.status == HTTPStatus.CONFLICT:
                raise ChangedMeanwhile from declined
            raise
        return await self._named(before, after, found)

    async def _named(self, before: Entity, after: Entity, found: FactsPreview) -> Previewed[PreviewView]:
        outside = sessions_outside(after) - sessions_outside(before)
        ids = sorted(participants_in(found))
        people = await self.repository.find_many(Participant, after.edition_id, ids) if ids else {}
        names = {participant_id: person.name for participant_id, person in sorted(people.items())}
        preview = PreviewView(**dict(found), outside=tuple(sorted(outside)), names=names)
        content = facts_in(after), before.id, before.revision
        return Previewed(token_of(*content, found.effects, preview.outside), preview)

    async def _followers(self, before: Entity, after: Entity) -> list[Participant]:
        """Return the next revisions of the participants whose availability would follow the calendar of an edition."""
        if not isinstance(before, Edition) or not isinstance(after, Edition) or before.calendar == after.calendar:
            return []
        there = await self.repository.with_availability(after.edition_id)
        moved = [(participant.following(after), participant) for participant in there]
        followers = [new.model_copy(update={"revision": old.revision + 1}) for new, old in moved if new is not old]
        return followers if len(followers) <= _MOST_FOLLOWERS else []

    async def _edition_of(self, entity: Entity) -> Edition | None:
        return entity if isinstance(entity, Edition) else await self.repository.recent_edition(entity.edition_id)
