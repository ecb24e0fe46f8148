"""Use cases of a changed address: asked for, confirmed by its mailed link or by an organiser, or withdrawn."""

from __future__ import annotations

import hmac
from datetime import datetime
from typing import Annotated, Final, Protocol

from services.registration.domain.edition import Edition
from services.registration.domain.entity import Facts
from services.registration.domain.errors import Conflict, FieldError, Invalid
from services.registration.domain.names import Email
from services.registration.domain.participant import Participant, mailbox_key
from services.registration.domain.parties import must_be_active, must_not_be_erased
from services.registration.domain.pending_address import ADDRESS_LINK_LIFE, PendingAddress
from services.registration.internal_clients import ServiceDeclined, ServiceUnavailable
from services.registration.keys import digest_of, new_secret
from services.registration.ports import EntityStore
from services.registration.service import OperatorService
from shared.access import Principal, PrincipalKind
from shared.contract.personal import PERSONAL
from shared.runtime.clock import Clock
from shared.runtime.log import get_logger

_log = get_logger(__name__)
_NO_MAILS: Final = (
    "this installation mails no links, because TERTULIA_SIGN_IN_URL is not set: PATCH the participant's `email`, "
    "which holds at once"
)
#: Dots between the parts of a link.
_DOTS: Final = 3
_REFUSED: Final = "the mail server takes no mail for this address: correct it, or ask for another one"


class AddressFacts(Facts):
    """The new address of a participant."""

    email: Annotated[Email, PERSONAL]


class AddressLinkEnded(Exception):
    """The link is unknown, used, withdrawn or expired."""

    def __init__(self) -> None:
        super().__init__("this link is unknown, used, withdrawn or expired: ask the organiser for a new one")


class AddressMailer(Protocol):
    """Mails about new addresses. Both calls raise `ServiceUnavailable` and `ServiceDeclined`."""

    async def mail_confirmation(self, participant: Participant, edition: Edition, email: str, secret: str) -> None: ...
    async def tell_present_address(self, participant: Participant, edition: Edition) -> None: ...


class AddressService:
    """Use cases of changed addresses, for an operator."""

    def __init__(self, service: OperatorService, mailer: AddressMailer | None) -> None:
        self._service = service
        self._unit = service.unit_of_work
        self._mailer = mailer

    async def ask(self, edition_id: str, participant_id: str, facts: AddressFacts) -> Participant:
        """Keep a new address, tell the present address, and mail a link to the new one. A repeat mails another link.

        The present address is kept if it is the same. A present address that no mail reaches is no obstacle.

        Raises:
            ServiceUnavailable: no mail can be sent. The address is kept: ask again.
            Conflict: another participant has the address, the participant is cancelled, or the edition is closed.
            Invalid: the mail server refuses the new address, which is withdrawn then.
        """
        edition = await self._service.editions.get_changeable(edition_id)
        await self._unit.get(Participant, edition_id, participant_id)
        if self._mailer is None:
            raise ServiceUnavailable(_NO_MAILS)
        secret = new_secret()
        participant = await self._keep(edition, participant_id, facts.email, secret)
        if participant.pending_address is None:
            return participant
        try:
            await self._mailer.tell_present_address(participant, edition)
        except ServiceDeclined:
            _log.info("present_address_not_told", edition_id=edition_id, participant_id=participant_id)
        try:
            text = link_text(participant, secret)
            await self._mailer.mail_confirmation(participant, edition, participant.pending_address.email, text)
        except ServiceDeclined as declined:
            await self.withdraw(edition_id, participant_id)
            raise Invalid(FieldError("/email", _REFUSED)) from declined
        return participant

    async def withdraw(self, edition_id: str, participant_id: str) -> Participant:
        """Forget the new address: its link ends. A repeated request changes nothing."""

        async def change(participant: Participant) -> Participant:
            must_not_be_erased(participant)
            return participant.changed(self._unit.clock(), pending_address=None)

        return await self._unit.amend(Participant, edition_id, participant_id, change)

    async def confirm(self, edition_id: str, participant_id: str, secret: str | None = None) -> Participant:
        """Put the new address in the place of the present one: by the secret of its link, or without by an organiser.

        Raises:
            AddressLinkEnded: the secret is not that of the present link, or its time has passed.
            Conflict: no address is pending, another participant has it, or the participant is cancelled.
        """
        await self._service.editions.get_changeable(edition_id)

        async def change(participant: Participant) -> Participant:
            pending, now = participant.pending_address, self._unit.clock()
            if secret is not None and not _opens(pending, secret, now):
                raise AddressLinkEnded
            must_be_active(participant)
            if pending is None:
                raise Conflict("no new address is pending: ask for one with PUT")
            return participant.changed(now, email=pending.email, shares_mailbox=False, pending_address=None)

        return await self._unit.amend(Participant, edition_id, participant_id, change)

    async def _keep(self, edition: Edition, participant_id: str, email: str, secret: str) -> Participant:
        edition_id = edition.edition_id
        key = mailbox_key(edition_id, email)
        holder = (await self._unit.repository.find_unique(Participant, [key])).get(key)
        if holder is not None and holder.id != participant_id and not holder.gives_way:
            raise Conflict(f"participant {holder.id} has this address: merge the two, or use another address")

        async def change(participant: Participant) -> Participant:
            must_be_active(participant)
            if participant.email == email:
                return participant.changed(self._unit.clock(), pending_address=None)
            now = self._unit.clock()
            pending = PendingAddress(
                email=email,
                asked_at=now,
                asked_by=self._unit.principal.actor,
                expires_at=now + ADDRESS_LINK_LIFE,
                link_sha256=digest_of(secret),
            )
            return participant.changed(now, pending_address=pending)

        return await self._unit.amend(Participant, edition_id, participant_id, change)


def link_text(participant: Participant, secret: str) -> str:
    """Return the text of a link that confirms an address: the ids of the participant, and a secret."""
    return f"{participant.operator_id}.{participant.edition_id}.{participant.participant_id}.{secret}"


async def confirm_by_link(store: EntityStore, clock: Clock, text: str) -> Participant:
    """Confirm the address of a mailed link, as the participant.

    Raises:
        AddressLinkEnded: the link is unknown, used, withdrawn or expired.
        Conflict: another participant has the address meanwhile, the participant is cancelled, or the edition is closed.
    """
    operator_id, *ids = text.split(".") if text.count(".") == _DOTS else [""]
    if not operator_id or not all(ids):
        raise AddressLinkEnded
    edition_id, participant_id, secret = ids
    repository = store.of(operator_id)
    found = await repository.find(Participant, edition_id, participant_id)
    if found is None or not _opens(found.pending_address, secret, clock()):
        raise AddressLinkEnded
    principal = Principal(PrincipalKind.PARTICIPANT, participant_id, operator_id, editions=frozenset({edition_id}))
    service = OperatorService(repository, clock, principal=principal)
    return await AddressService(service, None).confirm(edition_id, participant_id, secret)


def _opens(pending: PendingAddress | None, secret: str, now: datetime) -> bool:
    """Tell whether a secret is that of the present link, whose time has not passed."""
    return (
        pending is not None and now < pending.expires_at and hmac.compare_digest(pending.link_sha256, digest_of(secret))
    )
