"""Notify's state of an edition."""

from __future__ import annotations

from pydantic import BaseModel, Field

from services.notify.domain.snapshots import (
    AgendaSnapshot,
    ContactSnapshot,
    EditionSnapshot,
    MatchSnapshot,
    OrganisationSnapshot,
)
from shared.contract.ids import Id, pair_id


class Audience(BaseModel):
    """The participants of an edition with their newest agendas, and all that mails to them need.

    `versions` counts for a participant the times that the content of their mail may have changed.
    """

    edition_id: Id
    edition: EditionSnapshot | None = None
    organisations: dict[str, OrganisationSnapshot] = Field(default_factory=dict)
    contacts: dict[str, ContactSnapshot] = Field(default_factory=dict)
    agendas: dict[str, AgendaSnapshot] = Field(default_factory=dict)
    matches: dict[str, MatchSnapshot] = Field(default_factory=dict)
    versions: dict[str, int] = Field(default_factory=dict)

    def match_of(self, participant_id: str, partner_id: str) -> MatchSnapshot | None:
        """Return the reasons for which two participants fit, or `None` if none are known."""
        return self.matches.get(pair_id(self.edition_id, participant_id, partner_id))

    def can_write_to(self, participant_id: str) -> bool:
        """Return whether the edition, the participant and the agenda are known, as a mail needs them.

        The event that brings a missing part causes the mail.
        """
        return self.edition is not None and participant_id in self.agendas and participant_id in self.contacts
