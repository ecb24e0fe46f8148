"""Links as mails, which notify writes and sends: of sign-in for staff, of a new address for participants."""

from __future__ import annotations

from urllib.parse import urlencode

from services.registration.domain.edition import Edition
from services.registration.domain.participant import Participant
from services.registration.domain.pending_address import ADDRESS_LINK_LIFE
from services.registration.internal_clients import InternalClient
from services.registration.staff.accounts import LINK_LIFE, StaffMember
from shared.internal_api.address_mail import ADDRESS_MAIL, AddressMail, AddressMailKind
from shared.internal_api.sign_in import SIGN_IN_MAIL, SignInMail


class NotifyLinkMailer:
    """Asks notify to mail a link: implements `use_cases.LinkMailer` and `addresses.AddressMailer`."""

    def __init__(self, notify: InternalClient, sign_in_url: str) -> None:
        self._notify = notify
        self._page = f"{sign_in_url.rstrip('/')}/sign-in"
        self._address_page = f"{sign_in_url.rstrip('/')}/confirm-address"

    async def mail_link(self, member: StaffMember, secret: str) -> None:
        """Mail a link to an account's address. Raises `ServiceUnavailable` and `ServiceDeclined`."""
        asked = SignInMail(
            email=member.email,
            name=member.name,
            language=member.language,
            link=f"{self._page}?{urlencode({'link': secret})}",
            minutes=int(LINK_LIFE.total_seconds() // 60),
        )
        await self._notify.post(SIGN_IN_MAIL, asked.model_dump(mode="json"))

    async def mail_confirmation(self, participant: Participant, edition: Edition, email: str, secret: str) -> None:
        """Mail a new address the link that confirms it. Raises `ServiceUnavailable` and `ServiceDeclined`."""
        link = f"{self._address_page}?{urlencode({'link': secret})}"
        await self._mail_address(AddressMailKind.CONFIRM, participant, edition, email, link)

    async def tell_present_address(self, participant: Participant, edition: Edition) -> None:
        """Tell the present address that a new one is asked for. Raises `ServiceUnavailable` and `ServiceDeclined`."""
        await self._mail_address(AddressMailKind.TELL, participant, edition, participant.email, "")

    async def _mail_address(
        self, kind: AddressMailKind, participant: Participant, edition: Edition, email: str, link: str
    ) -> None:
        asked = AddressMail(
            kind=kind,
            email=email,
            name=participant.name,
            language=participant.languages[0],
            edition=edition.name,
            link=link,
            hours=int(ADDRESS_LINK_LIFE.total_seconds() // 3600),
        )
        await self._notify.post(ADDRESS_MAIL, asked.model_dump(mode="json"))
