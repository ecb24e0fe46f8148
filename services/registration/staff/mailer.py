"""Sign-in links as mails, which notify writes and sends."""

from __future__ import annotations

from urllib.parse import urlencode

from services.registration.internal_clients import InternalClient
from services.registration.staff.accounts import LINK_LIFE, StaffMember
from shared.internal_api.sign_in import SIGN_IN_MAIL, SignInMail


class NotifyLinkMailer:
    """Asks notify to mail a link: implements `use_cases.LinkMailer`."""

    def __init__(self, notify: InternalClient, sign_in_url: str) -> None:
        self._notify = notify
        self._page = f"{sign_in_url.rstrip('/')}/sign-in"

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
