"""The addresses in mails and calendars: signed links to a participant's feed and page."""

from __future__ import annotations

from services.notify.domain.state import Audience
from services.notify.settings import Settings
from shared.contract.links import Link, LinkPurpose, LinkSigner


class PublicAddresses:
    """Makes the addresses at which participants reach notify. Without a public address there are none."""

    def __init__(self, settings: Settings) -> None:
        self._base = settings.public_url.rstrip("/")
        self._portal = settings.portal_url.rstrip("/")
        self._signer = LinkSigner(settings.link_secret.get_secret_value())

    def feed(self, audience: Audience, participant_id: str) -> str:
        """Return the address of a participant's calendar; empty without a public address."""
        link = self._signed(audience, participant_id, LinkPurpose.FEED)
        return f"{self._base}/feeds/{link}/agenda.ics" if link else ""

    def page(self, audience: Audience, participant_id: str) -> str:
        """Return the address of a participant's page, in the portal if there is one; empty without a public address."""
        link = self._signed(audience, participant_id, LinkPurpose.PAGE)
        beginning = f"{self._portal}/p" if self._portal else f"{self._base}/agendas"
        return f"{beginning}/{link}" if link else ""

    def read(self, text: str, purpose: LinkPurpose) -> Link:
        """Return the content of a link, or raise `shared.contract.links.BadLink`."""
        return self._signer.read(text, purpose)

    def _signed(self, audience: Audience, participant_id: str, purpose: LinkPurpose) -> str:
        if not self._base or audience.operator_id is None:
            return ""
        contact = audience.contacts[participant_id]
        link = Link(
            purpose=purpose,
            operator_id=audience.operator_id,
            edition_id=audience.edition_id,
            participant_id=participant_id,
            links=contact.links,
            person=contact.person_id,
        )
        return self._signer.sign(link)
