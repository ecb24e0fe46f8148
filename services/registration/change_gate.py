"""The gate in front of every change of facts: a dry run stops there, and a large change needs its token."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime

from pydantic import BaseModel

from services.registration.amendments import Amendments, ListAmendment, ListCounts, amendment_of, amendment_of_list
from services.registration.confirmation import ANY_EFFECTS, Previewed, confirmation_needed, must_be_confirmed, token_of
from services.registration.domain.edition import Edition
from services.registration.domain.entity import Entity
from services.registration.domain.errors import ChangedMeanwhile, Conflict
from services.registration.effects import Effects, no_effects
from services.registration.internal_clients import ServiceUnavailable
from services.registration.previews import ChangeStep, PreviewView, facts_in, is_announced, moving, needs_look, too_many
from shared.runtime.log import get_logger

_log = get_logger(__name__)

#: Longest look at the effects of a participant's change, which is made even if the scheduler does not answer.
_SHORT_LOOK_SECONDS = 1.0


@dataclass
class ChangeGate:
    """Admits a change once its sender knows the effects. `token` confirms them; a dry run admits nothing.

    `previewed` are the effects of the last change that was looked at. `undoes` is the amendment that is undone.
    """

    amendments: Amendments
    effects: Effects
    dry_run: bool = False
    token: str | None = None
    previewed: Previewed[PreviewView] | None = None
    undoes: str | None = None
    #: The entity that the request changes. Changes that follow from it need no confirmation of their own.
    _asked_for: str | None = None
    #: The id of the amendment that the request has left.
    amendment_id: str | None = None
    #: Whether the request changes a list of entities, which was admitted as a whole.
    _is_list: bool = False
    _list: ListAmendment | None = None

    async def admits(self, before: Entity | None, after: Entity) -> bool:
        """Tell whether the next revision is to be written, or a new entity.

        Raises:
            PreviewRequired: the change moves more than the edition allows without a token.
            PreviewStale: the token confirms different effects.
            ServiceUnavailable: the scheduler cannot tell the effects of a change that needs a look.
            ChangedMeanwhile: the entity has changed meanwhile.
        """
        self._asked_for = self._asked_for or after.id
        if self._is_list or after.id != self._asked_for:
            return not self.dry_run
        if self.dry_run:
            self.previewed = await self._preview(before, after)
            return False
        if self.token == ANY_EFFECTS:
            return True
        if self.token is not None:
            self.previewed = await self._preview(before, after)
            must_be_confirmed(self.token, self.previewed)
            return True
        edition = await self._edition_of(before) if before is not None else None
        if before is not None and edition is not None and self.effects.are_known and needs_look(edition, before, after):
            await self._look(edition, before, after)
        return True

    async def admits_list(
        self,
        edition: Edition,
        steps: Sequence[ChangeStep],
        content: Sequence[object],
        shown: ShownPreview,
        if_unknown: str | None = None,
    ) -> bool:
        """Tell whether the steps of a list are to be written, all of them.

        `content` is the list and the revisions that it is based on, for the token. `shown` completes the preview of a
        refusal. `if_unknown` is the reason for a confirmation in an installation without the scheduler's address.

        Raises:
            As `admits`; `Conflict` if an entity has changed meanwhile.
        """
        self._is_list = True
        if self.token == ANY_EFFECTS and not self.dry_run:
            return True
        is_looked_at = self.dry_run or self.token is not None or is_announced(edition)
        preview = await self._preview_of_list(edition, steps) if is_looked_at else no_effects()
        token = token_of(*content, preview.effects, preview.outside)
        self.previewed = Previewed(token, preview)
        if self.dry_run:
            return False
        refusal = Previewed(token, shown(token, preview))
        if self.token is not None:
            must_be_confirmed(self.token, refusal)
            return True
        reason = too_many(edition, preview) if self.effects.are_known else if_unknown
        if reason is not None:
            raise confirmation_needed(refusal, reason)
        return True

    @asynccontextmanager
    async def amends_list(self, edition: Edition, counts: ListCounts, now: datetime) -> AsyncIterator[None]:
        """Keep the fields before the changes of the block, as an amendment of a list."""
        made = self._list = ListAmendment(self.amendments, amendment_of_list(edition, counts, now, self.undoes))
        try:
            yield
        finally:
            self._list = None
            await made.flush()
            self.amendment_id = made.amendment_id

    async def passed(self, before: Entity | None, after: Entity) -> None:
        """Keep the fields before the change, so that it can be undone. A new entity is kept with a list only."""
        if self._list is not None:
            await self._list.note(before, after)
        if self._is_list or before is None or before.id != self._asked_for:
            return
        amendment = amendment_of(before, after, self.token, self.undoes)
        if amendment is not None:
            await self.amendments.add(amendment)
            self.amendment_id = amendment.amendment_id

    @property
    def looked_at(self) -> tuple[str, PreviewView]:
        """The token and the effects of a list that was looked at."""
        assert self.previewed is not None  # noqa: S101 - `admits_list` has looked
        return self.previewed.token, self.previewed.preview

    def unchanged(self, entity: Entity) -> Previewed[PreviewView]:
        """Return the preview of a change that changes nothing."""
        return Previewed(token_of(entity.id, entity.revision), no_effects())

    async def _look(self, edition: Edition, before: Entity, after: Entity) -> None:
        """Look at the effects of a change, and refuse it if they are too many.

        A change of a participant or an organisation moves few encounters: it is made if the scheduler is away.
        """
        is_edition = isinstance(before, Edition)
        try:
            seconds = self.effects.seconds if is_edition else min(self.effects.seconds, _SHORT_LOOK_SECONDS)
            previewed = await self._preview(before, after, seconds)
        except ServiceUnavailable:
            if is_edition:
                raise
            _log.warning("change_made_unseen", kind=before.NOUN, id=before.id, revision=after.revision)
            return
        if (reason := too_many(edition, previewed.preview)) is not None:
            raise confirmation_needed(previewed, reason)

    async def _preview(
        self, before: Entity | None, after: Entity, within: float | None = None
    ) -> Previewed[PreviewView]:
        preview = await self.effects.of(after.edition_id, [ChangeStep(before, after)], within)
        content = facts_in(after), *((before.id, before.revision) if before else (after.NOUN, after.edition_id))
        return Previewed(token_of(*content, preview.effects, preview.outside), preview)

    async def _preview_of_list(self, edition: Edition, steps: Sequence[ChangeStep]) -> PreviewView:
        asked = moving(steps)
        if not asked or not self.effects.are_known:
            return no_effects(announced=is_announced(edition))
        try:
            return await self.effects.of(edition.edition_id, asked)
        except ChangedMeanwhile as error:
            raise Conflict("entries of the list have changed meanwhile: send the same request again") from error

    async def _edition_of(self, entity: Entity) -> Edition | None:
        return (
            entity if isinstance(entity, Edition) else await self.effects.repository.recent_edition(entity.edition_id)
        )


#: Completes the preview of a list that is refused: of its token and its effects, the body that the problem shows.
ShownPreview = Callable[[str, PreviewView], BaseModel]
