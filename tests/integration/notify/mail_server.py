"""A real SMTP server that misbehaves as the recipient asks."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from aiosmtpd.smtp import SMTP, Envelope, Session


@dataclass
class RealMailServer:
    """A real SMTP server that keeps the mails it accepts, and misbehaves by recipient."""

    taken: list[Envelope] = field(default_factory=list)
    connections: int = 0
    host: str = "127.0.0.1"
    port: int = 0

    async def handle_EHLO(  # noqa: N802 - aiosmtpd's names
        self, server: SMTP, session: Session, envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        self.connections += 1
        session.host_name = hostname
        return responses

    async def handle_RCPT(  # noqa: N802
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("unknown"):
            return "550 no such user"
        if address.startswith("closing"):
            return "421 too many mails, good bye"
        if address.startswith("greylisted"):
            return "451 come back later"
        if address.startswith("hangs-up"):
            _hang_up(server)
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        recipient = envelope.rcpt_tos[0]
        if recipient.startswith("spam"):
            return "554 no, thank you"
        if recipient.startswith("busy"):
            return "452 disk full"
        if recipient.startswith("slow"):
            await asyncio.sleep(5)
        self.taken.append(envelope)
        if recipient.startswith("drops"):
            _hang_up(server)
        return "250 taken"


def _hang_up(server: SMTP) -> None:
    assert server.transport is not None
    server.transport.close()
