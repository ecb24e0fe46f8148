"""What the use cases need of the world outside, and what it may answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from services.notify.domain.audience import Audience
from services.notify.domain.delivery import Delivery, Mailing
from shared.contract.events import NotificationRecorded


class Overtaken(Exception):
    """The ledger's line was written by someone else since it was read."""


class Refused(Exception):
    """This letter can never be delivered; the message says why, without personal data."""


class NotTaken(Exception):
    """The letter was surely not taken; it may be another time."""


class InDoubt(Exception):
    """The letter may have been taken, or not."""


class MailerAway(ConnectionError):
    """No letter can be handed over now: the mail server is away, or does not want us."""


@dataclass(frozen=True)
class Letter:
    """A mail as SMTP takes it."""

    sender: str
    recipient: str
    content: bytes


class Line(Protocol):
    """A connection to a mail server."""

    async def send(self, letter: Letter, before_data: Callable[[], Awaitable[None]]) -> None:
        """Hand a letter over. `before_data` runs once the recipient is accepted; if it raises, nothing is sent.

        Raises:
            Refused: never for this recipient or letter.
            NotTaken: not now; surely not taken.
            InDoubt: the connection broke after DATA: it may have been taken.
            MailerAway: no letter can be handed over now; surely not taken.
        """


class Mailer(Protocol):
    """Opens lines to a mail server."""

    def open(self) -> AbstractAsyncContextManager[Line]:
        """A line for many letters, one after the other, or `MailerAway`."""


class Render(Protocol):
    """Writes letters."""

    def __call__(self, audience: Audience, delivery: Delivery, mailing: Mailing) -> Letter:
        """The letter of a version; `Refused` if it cannot be written."""


class Ledger(Protocol):
    """One line a participant of an edition. `MongoLedger` and `InMemoryLedger` pass the same contract tests."""

    async def find(self, edition_id: str, participant_id: str) -> Delivery | None:
        """A participant's line."""

    async def find_all(self, keys: Sequence[str]) -> dict[str, Delivery]:
        """Those of the lines that are there, by their keys."""

    async def save(self, delivery: Delivery, *records: NotificationRecorded) -> Delivery:
        """Write a line, and what there is to say of it, at once; return it as written, or raise `Overtaken`."""

    async def due(self, limit: int) -> list[Delivery]:
        """The lines to look at now, the longest due first."""

    async def in_doubt(self, edition_id: str | None = None) -> list[Delivery]:
        """The lines with a mail that may have been taken, of one edition or of all."""

    async def count(self) -> tuple[int, int]:
        """How many mails are owed, and how many are in doubt."""


class Relay(Protocol):
    """Sends what was recorded of a ledger's lines."""

    def soon(self, document_id: str) -> None:
        """Begin to send what one line has recorded and not sent; what fails is left for a later sweep."""
