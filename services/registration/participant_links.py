"""Participants as principals, by the signed link of their page in their mails: nothing is stored for it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from services.registration.domain.participant import Participant
from services.registration.ports import EntityStore, Repository
from shared.access import Principal, PrincipalKind
from shared.contract.links import BadLink, LinkPurpose, LinkSigner
from shared.runtime.clock import Clock

#: The beginning of a signed link.
LINK_BEGINNING: Final = "L1."


class ParticipantLinks:
    """Reads links. A link ends with a revocation, with the person, with an erasure, and some time after the edition."""

    def __init__(self, store: EntityStore, secret: str, life: timedelta, clock: Clock) -> None:
        self._store = store
        self._signer = LinkSigner(secret) if secret else None
        self._life = life
        self._clock = clock

    async def principal_of(self, presented: str) -> Principal | None:
        """Return the participant whose link is presented; None if the link is none, or has ended."""
        if self._signer is None:
            return None
        try:
            link = self._signer.read(presented, LinkPurpose.PAGE)
        except BadLink:
            return None
        repository = self._store.of(link.operator_id)
        participant = await repository.find(Participant, link.edition_id, link.participant_id)
        expires_at = await self._end_of(repository, link.edition_id)
        if participant is None or participant.links != link.links or participant.is_erased:
            return None
        if expires_at is None or expires_at <= self._clock():
            return None
        return Principal(
            PrincipalKind.PARTICIPANT,
            link.participant_id,
            link.operator_id,
            editions=frozenset({link.edition_id}),
            expires_at=expires_at,
        )

    async def _end_of(self, repository: Repository, edition_id: str) -> datetime | None:
        edition = await repository.recent_edition(edition_id)
        slots = edition.slots() if edition else ()
        return max(slot.ends_at for slot in slots) + self._life if slots else None
