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

#: Persons kept of those who left a participant's place: they are owed a last mail.
MOST_FORMER = 3


class Audience(BaseModel):
    """The participants of an edition with their newest agendas, and all that mails to them need.

    `versions` counts for a participant the times that the content of their mail may have changed.
    """

    edition_id: Id
    first_operator_id: Id | None = Field(default=None, description="Operator of the first event of an unknown edition.")
    edition: EditionSnapshot | None = None
    organisations: dict[str, OrganisationSnapshot] = Field(default_factory=dict)
    contacts: dict[str, ContactSnapshot] = Field(default_factory=dict)
    former_contacts: dict[str, tuple[ContactSnapshot, ...]] = Field(
        default_factory=dict, description="The last persons who left a participant's place, the latest first."
    )
    agendas: dict[str, AgendaSnapshot] = Field(default_factory=dict)
    matches: dict[str, MatchSnapshot] = Field(default_factory=dict)
    versions: dict[str, int] = Field(default_factory=dict)

    @property
    def operator_id(self) -> str | None:
        """The edition's operator. Until the edition is known, the operator of the first event."""
        return self.edition.operator_id if self.edition else self.first_operator_id

    def begin_with(self, operator_id: str) -> None:
        """Record the operator, and forget all events of the operator before."""
        if self.operator_id is not None:
            self.__dict__.update(Audience(edition_id=self.edition_id).__dict__)
        self.first_operator_id = operator_id

    def match_of(self, participant_id: str, partner_id: str) -> MatchSnapshot | None:
        """Return the reasons for which two participants fit, or `None` if none are known."""
        return self.matches.get(pair_id(self.edition_id, participant_id, partner_id))

    def record_organisation(self, organisation_id: str, organisation: OrganisationSnapshot) -> None:
        """Record an organisation. An entry of an older version has its name, and no number."""
        if "shown" not in organisation.model_fields_set:
            organisation = organisation.counted(self.organisations.get(organisation_id))
        self.organisations[organisation_id] = organisation

    def record_contact(self, participant_id: str, contact: ContactSnapshot) -> None:
        """Record a participant's newest contact, and keep the contact of a person with a successor.

        Another name on a cancelled participant is no successor: an organiser has erased the person, so none is kept.
        An entry of an older version has the texts of the contact, and no numbers.
        """
        known, former = self.contacts.get(participant_id), self.former_contacts.get(participant_id, ())
        if "person" not in contact.model_fields_set:
            contact = contact.counted(known, former)
        self.contacts[participant_id] = contact
        if contact.erased:
            self.former_contacts.pop(participant_id, None)
        if known is None or known.person == contact.person:
            return
        if not contact.active:
            self.former_contacts.pop(participant_id, None)
        else:
            self.former_contacts[participant_id] = (known, *former)[:MOST_FORMER]

    def can_write_to(self, participant_id: str) -> bool:
        """Return whether the edition, the participant and the agenda are known, as a mail needs them.

        An erased participant cannot be written to. The event that brings a missing part causes the mail.
        """
        contact = self.contacts.get(participant_id)
        return (
            self.edition is not None and participant_id in self.agendas and contact is not None and not contact.erased
        )
