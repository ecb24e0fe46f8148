"""A mail server in memory, and the line to it: what `services.notify.ports.Mailer` promises, and all that can go wrong.

`services/notify/smtp.py` itself needs sockets: its own tests hold it to the same promises on a real connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from services.notify.domain.audience import Audience
from services.notify.domain.delivery import Delivery, Mailing
from services.notify.ports import InDoubt, Letter, MailerAway, NotTaken, Render
from tests.simulation.process import Process

#: How long a client may be silent before the server hangs up: at least five minutes in RFC 5321, section 4.5.3.2.7, and
#: so no longer than the lease of a mail, as here.
_PATIENCE_SECONDS = 14.0


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
        loop = asyncio.get_running_loop()
        last_heard = await self._process.step("mail: address", loop.time, NotTaken)
        await before_data()
        # Whether the server says that it does not take it, or breaks off so that nobody knows, is left to chance.
        away = InDoubt if self._drops() else NotTaken
        had: list[Letter] = []

        def take() -> None:
            if loop.time() - last_heard > _PATIENCE_SECONDS:
                raise InDoubt("the server has hung up")
            self._server.take(letter)
            had.append(letter)

        try:
            await self._process.step("mail: send", take, away)
        except NotTaken as error:
            if had:
                raise InDoubt(str(error)) from error
            raise
