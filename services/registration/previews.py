"""The gate in front of every change of facts: a dry run stops there, and a large change needs its token."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from pydantic import Field

from services.registration.confirmation import ANY_EFFECTS, Previewed, confirmation_needed, must_be_confirmed, token_of
from services.registration.domain.checks.days import EditionDays
from services.registration.domain.edition import Edition
from services.registration.domain.entity import Entity
from services.registration.domain.errors import ChangedMeanwhile
from services.registration.domain.organisation import Organisation
from services.registration.domain.participant import Participant
from services.registration.internal_clients import InternalClient, ServiceDeclined, ServiceUnavailable
from services.registration.ports import Repository
from shared.contract.events import EditionChanged, OrganisationChanged, ParticipantChanged, Phase
from shared.contract.ids import Id
from shared.internal_api.previews import FactsPreview, FactsToPreview, PreviewCounts
from shared.runtime.log import get_logger

_log = get_logger(__name__)

#: Fields that move encounters, by kind. A change of other fields is made without a look at its effects.
MOVING_FIELDS: Final[Mapping[type[Entity], frozenset[str]]] = {
    Edition: frozenset({"timezone", "days", "slot_minutes", "zones", "sessions", "quotas"}),
    Organisation: frozenset({"kind", "interchangeable"}),
    Participant: frozenset({"organisation_id", "available", "session_ids", "blocked_ids"}),
}
#: Phases in which participants may know their agendas.
_ANNOUNCED_PHASES: Final = frozenset({Phase.PUBLISHED, Phase.LIVE})
#: Longest look at the effects of a participant's change, which is made even if the scheduler does not answer.
_SHORT_LOOK_SECONDS = 1.0
#: Encounters that a change may always move: in a small edition they would be many percent.
_FEW_ENCOUNTERS: Final = 4
_UNNAMED: Final = {"name": "-", "email": "-@-", "profile": {}}
_NO_COUNTS = PreviewCounts(encounters=0, moved=0, placed=0, waiting=0, cancelled=0, people=0, mailed=0)


class PreviewView(FactsPreview):
    """The effects of a change of facts, with the names of the participants concerned."""

    outside: tuple[Id, ...] = Field(default=(), description="Sessions that would no longer lie within a day.")
    names: dict[str, str] = Field(default_factory=dict, description="By participant id.")


@dataclass
class PreviewGate:
    """Admits a change once its sender knows the effects. `token` confirms them; a dry run admits nothing.

    `previewed` are the effects of the last change that was looked at.
    """

    repository: Repository
    scheduler: InternalClient
    seconds: float
    dry_run: bool = False
    token: str | None = None
    previewed: Previewed[PreviewView] | None = None
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
        if self.token == ANY_EFFECTS or before.id != self._asked_for:
            return not self.dry_run
        if self.dry_run:
            self.previewed = await self._preview(before, after, self.seconds)
            return False
        if self.token is not None:
            self.previewed = await self._preview(before, after, self.seconds)
            must_be_confirmed(self.token, self.previewed)
            return True
        edition = await self._edition_of(before)
        if edition is not None and self.scheduler.has_address and needs_look(edition, before, after):
            await self._look(edition, before, after)
        return True

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
        body = facts_of(after).model_dump(mode="json")
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
        ids = sorted(_participants_in(found))
        people = await self.repository.find_many(Participant, after.edition_id, ids) if ids else {}
        names = {participant_id: person.name for participant_id, person in sorted(people.items())}
        preview = PreviewView(**dict(found), outside=tuple(sorted(outside)), names=names)
        content = after.model_dump(mode="json", exclude={"changed_at"})
        return Previewed(token_of(content, before.revision, found.effects, preview.outside), preview)

    async def _edition_of(self, entity: Entity) -> Edition | None:
        return entity if isinstance(entity, Edition) else await self.repository.recent_edition(entity.edition_id)


def needs_look(edition: Edition, before: Entity, after: Entity) -> bool:
    """Tell whether a change may move encounters that participants know."""
    fields = MOVING_FIELDS.get(type(before), frozenset())
    return edition.phase in _ANNOUNCED_PHASES and any(getattr(before, name) != getattr(after, name) for name in fields)


def too_many(edition: Edition, preview: FactsPreview) -> str | None:
    """Return the reason why effects need a confirmation; None if the edition allows them without."""
    counts = preview.counts
    encounters = counts.moved + counts.waiting
    if not preview.announced or encounters <= _FEW_ENCOUNTERS:
        return None
    if 100 * encounters <= edition.preview_above_percent * counts.encounters and (
        counts.people <= edition.preview_above_people
    ):
        return None
    return (
        f"of {counts.encounters} encounters {counts.moved} would move and {counts.waiting} lose their place, those of "
        f"{counts.people} participants"
    )


def facts_of(entity: Entity) -> FactsToPreview:
    """Return the snapshot of an entity without the texts of a person."""
    event = entity.snapshot()
    kinds = {EditionChanged: "editions", OrganisationChanged: "organisations", ParticipantChanged: "participants"}
    texts = {} if isinstance(event, EditionChanged) else _UNNAMED
    fields = {**event.model_dump(), **{name: text for name, text in texts.items() if name in type(event).model_fields}}
    return FactsToPreview.model_validate({kinds[type(event)]: [fields]})


def sessions_outside(entity: Entity) -> set[str]:
    """Return the ids of the sessions of an edition that do not lie within one of its days."""
    if not isinstance(entity, Edition):
        return set()
    days = EditionDays.of(entity)
    sessions = [session.in_zone(entity.timezone) for session in entity.sessions]
    return {session.session_id for session in sessions if not days.hold(session.starts_at, session.ends_at)}


def _participants_in(preview: FactsPreview) -> set[str]:
    """Return the ids of the participants that a preview lists."""
    effects = (*preview.moved, *preview.placed, *preview.waiting, *preview.cancelled)
    groups = (group for effect in effects for group in (effect.participant_ids_before, effect.participant_ids_after))
    return {*preview.mailed, *(participant_id for group in groups for participant_id in group)}
