"""A mail server in memory, and a mailer for it with the promises and the faults of `services.notify.ports.Mailer`.

`services/notify/smtp.py` needs sockets. Its own tests check the same promises on a real connection.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from services.notify.domain.delivery import Delivery, Mailing
from services.notify.domain.state import Audience
from services.notify.ports import MailServerUnavailable, NotAccepted, Render, RenderedMail, Unconfirmed
from shared.contract.ids import derived_id
from tests.support.in_memory.process import Process

#: Silence of a client after which the server hangs up: at least five minutes in RFC 5321, section 4.5.3.2.7. As there,
#: it is no longer than the lease of a mail.
_PATIENCE_SECONDS = 14.0


class MailServer:
    """Accepted mails in order, each with its participant and its content."""

    def __init__(self) -> None:
        self.taken: list[tuple[str, Mailing]] = []
        self._written: dict[bytes, tuple[str, Mailing]] = {}

    def expect(self, mail: RenderedMail, participant_id: str, mailing: Mailing) -> None:
        """Remember the content of a mail, so that the mail need not be parsed."""
        self._written[mail.content] = (participant_id, mailing)

    def take(self, mail: RenderedMail) -> None:
        """Accept a letter: the reply 250 after DATA."""
        self.taken.append(self._written[mail.content])


class Writer:
    """Writes letters with the given writer, and registers their content and a hash of their reader at the server."""

    def __init__(self, server: MailServer, render: Render) -> None:
        self._server, self._render = server, render

    def __call__(self, audience: Audience, delivery: Delivery, mailing: Mailing) -> RenderedMail:
        mail = self._render(audience, delivery, mailing)
        contact = audience.contacts[delivery.participant_id]
        addressee = derived_id("addressee", contact.email, contact.name, contact.language)
        content = mailing.content.model_copy(update={"addressee": addressee})
        key = delivery.key if delivery.subject else delivery.participant_id
        self._server.expect(mail, key, mailing.model_copy(update={"content": content}))
        return mail


def plain(audience: Audience, delivery: Delivery, mailing: Mailing) -> RenderedMail:
    """Write a minimal mail: in runs by the thousand, real mails would take most of the time."""
    contact = audience.contacts[delivery.participant_id]
    return RenderedMail("agenda@tertulia.invalid", contact.email, f"{mailing.message_id} {mailing.content}".encode())


class InMemoryMailer:
    """Mailer of a process."""

    def __init__(self, server: MailServer, process: Process, drops: Callable[[], bool]) -> None:
        self._server, self._process, self._drops = server, process, drops

    @asynccontextmanager
    async def open(self) -> AsyncIterator[InMemoryMailer]:
        await self._process.step("mail: connect", lambda: None, MailServerUnavailable)
        yield self

    async def send(self, mail: RenderedMail, before_data: Callable[[], Awaitable[None]]) -> None:
        loop = asyncio.get_running_loop()
        last_heard = await self._process.step("mail: address", loop.time, NotAccepted)
        await before_data()
        # The server either refuses the letter or breaks the connection, in which case the outcome is unconfirmed.
        away = Unconfirmed if self._drops() else NotAccepted
        had: list[RenderedMail] = []

        def take() -> None:
            if loop.time() - last_heard > _PATIENCE_SECONDS:
                raise Unconfirmed("the server has hung up")
            self._server.take(mail)
            had.append(mail)

        try:
            await self._process.step("mail: send", take, away)
        except NotAccepted as error:
            if had:
                raise Unconfirmed(str(error)) from error
            raise
