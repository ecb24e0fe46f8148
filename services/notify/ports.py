"""The interfaces through which the use cases reach the ledger and the mail server, and their errors."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from services.notify.domain.delivery import Delivery, Mailing
from services.notify.domain.state import Audience
from shared.contract.events import NotificationRecorded


class Overtaken(Exception):
    """Another process has written the delivery since it was read."""


class Refused(Exception):
    """The mail can never be delivered. The message says why, without personal data."""


class RefusedByServer(Refused):
    """The mail server refuses the recipient, or the mail to it, for good.

    A server that refuses everybody has a fault of its own, so a refusal counts once another mail was accepted since.
    """

    def __init__(self, message: str, *, is_address: bool = False) -> None:
        super().__init__(message)
        #: The server refuses the address, not the text of the mail.
        self.is_address = is_address


class NotAccepted(Exception):
    """The mail was surely not accepted, and may be tried again."""


class Unconfirmed(Exception):
    """The mail server may have accepted the mail: its answer was lost."""


class MailServerUnavailable(ConnectionError):
    """No mail can be handed over now: the mail server does not answer, or rejects the connection or the sender."""


@dataclass(frozen=True)
class RenderedMail:
    """A mail as SMTP sends it."""

    sender: str
    recipient: str
    content: bytes


class MailConnection(Protocol):
    """A connection to a mail server."""

    async def send(self, mail: RenderedMail, before_data: Callable[[], Awaitable[None]]) -> None:
        """Hand a mail over. `before_data` runs once the recipient is accepted; if it raises, nothing is sent.

        Raises:
            Refused: the server refuses this recipient or mail for good.
            NotAccepted: the server refuses it for now, or the connection broke before DATA.
            Unconfirmed: the connection broke after DATA, so the mail may have been accepted.
            MailServerUnavailable: no mail can be handed over now; this mail was surely not accepted.
        """


class Mailer(Protocol):
    """Opens connections to a mail server."""

    def open(self) -> AbstractAsyncContextManager[MailConnection]:
        """Open a connection for many mails in sequence, or raise `MailServerUnavailable`."""


class Render(Protocol):
    """Writes mails."""

    def __call__(self, audience: Audience, delivery: Delivery, mailing: Mailing) -> RenderedMail:
        """Write the mail of a version, or raise `Refused` if it cannot be written."""


class Ledger(Protocol):
    """The deliveries by edition and participant. `MongoLedger` and `InMemoryLedger` pass the same tests."""

    async def find(self, edition_id: str, participant_id: str, subject: str | None = None) -> Delivery | None:
        """Return a participant's delivery, or the one of a person or an entry beside it; `None` if unknown."""

    async def find_all(self, keys: Sequence[str]) -> dict[str, Delivery]:
        """Return the deliveries that exist among these keys, by key."""

    async def save(self, delivery: Delivery, *records: NotificationRecorded) -> Delivery:
        """Write a delivery together with its events to publish, and return it as written.

        Raises:
            Overtaken: the ledger holds a newer delivery than this builds on.
        """

    async def due(self, limit: int) -> list[Delivery]:
        """Return the deliveries to look at now, the longest due first."""

    async def unconfirmed(self, edition_id: str | None = None) -> list[Delivery]:
        """Return the deliveries with an unconfirmed mail, of an edition or of all editions."""

    async def page(self, edition_id: str, after: str, limit: int) -> list[Delivery]:
        """Return up to `limit` deliveries of agendas in an edition, by participant id, above the id `after`."""

    async def oldest(self) -> datetime | None:
        """Return the time of the oldest change that is owed a mail, or `None`."""

    async def count(self) -> tuple[int, int]:
        """Count the mails that are owed, and the unconfirmed mails."""


class Relay(Protocol):
    """Publishes the events recorded in the ledger."""

    def soon(self, document_id: str) -> None:
        """Begin to publish the events of a delivery. A later sweep publishes the events that fail."""
