"""A mail server in memory, and the line to it: what `services.notify.ports.Mailer` promises, and all that can go wrong.

`services/notify/smtp.py` itself needs sockets: its own tests hold it to the same promises on a real connection.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from services.notify.domain.audience import Audience
from services.notify.domain.delivery import Delivery, Mailing
from services.notify.ports import InDoubt, Letter, MailerAway, NotTaken, Render
from tests.simulation.process import Process


class MailServer:
    """What it took, in order: whose, and what it says."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, Mailing]] = []
        self._written: dict[bytes, tuple[str, Mailing]] = {}

    def expect(self, letter: Letter, participant_id: str, mailing: Mailing) -> None:
        """Remember what a letter says, so that it need not be read again."""
        self._written[letter.content] = (participant_id, mailing)

    def take(self, letter: Letter) -> None:
        """The 250 after DATA."""
        self.taken.append(self._written[letter.content])


class Writer:
    """Writes letters by another writer, and tells the server what they say."""

    def __init__(self, server: MailServer, render: Render) -> None:
        self._server, self._render = server, render

    def __call__(self, audience: Audience, delivery: Delivery, mailing: Mailing) -> Letter:
        letter = self._render(audience, delivery, mailing)
        self._server.expect(letter, delivery.participant_id, mailing)
        return letter


def plain(audience: Audience, delivery: Delivery, mailing: Mailing) -> Letter:
    """The least letter, for runs by the thousand: writing the real one takes longer than all else about it."""
    contact = audience.contacts[delivery.participant_id]
    return Letter("agenda@tertulia.invalid", contact.email, f"{mailing.message_id} {mailing.said}".encode())


class InMemoryMailer:
    """A process's way to the mail server."""

    def __init__(self, server: MailServer, process: Process, drops: Callable[[], bool]) -> None:
        self._server, self._process, self._drops = server, process, drops

    @asynccontextmanager
    async def open(self) -> AsyncIterator[InMemoryMailer]:
        await self._process.step("mail: connect", lambda: None, MailerAway)
        yield self

    async def send(self, letter: Letter, before_data: Callable[[], Awaitable[None]]) -> None:
        await self._process.step("mail: address", lambda: None, NotTaken)
        await before_data()
        # Whether the server says that it does not take it, or breaks off so that nobody knows, is not the step's to say.
        away = InDoubt if self._drops() else NotTaken
        had: list[Letter] = []

        def take() -> None:
            self._server.take(letter)
            had.append(letter)

        try:
            await self._process.step("mail: send", take, away)
        except NotTaken as error:
            if had:
                raise InDoubt(str(error)) from error
            raise
