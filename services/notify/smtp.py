"""SMTP, one step at a time: between RCPT and DATA the ledger is told, so that a lost answer is known as a doubt."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPResponseException,
)

from services.notify.ports import MailServerUnavailable, NotAccepted, Refused, RenderedMail, Unconfirmed
from services.notify.settings import Settings

_PERMANENT = 500


@dataclass(frozen=True)
class SmtpServer:
    """Where mails are handed over, and as whom."""

    host: str
    port: int
    security: str = "none"
    username: str = ""
    password: str = ""
    timeout: float = 30.0
    mails_per_connection: int = 100

    @classmethod
    def of(cls, settings: Settings) -> SmtpServer:
        """The mail server the settings name."""
        return cls(
            host=settings.smtp_host,
            port=settings.smtp_port,
            security=settings.smtp_security,
            username=settings.smtp_username,
            password=settings.smtp_password.get_secret_value(),
            timeout=settings.smtp_timeout_seconds,
            mails_per_connection=settings.smtp_mails_per_connection,
        )


class SmtpMailer:
    """Opens lines to one mail server."""

    def __init__(self, server: SmtpServer) -> None:
        self._server = server

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[SmtpConnection]:
        """A connection for many mails, one after the other.

        Raises:
            MailerAway: no connection, or the server does not want us (TLS, credentials).
        """
        async with SmtpConnection(self._server) as line:
            yield line


class SmtpConnection:
    """One connection, made anew when it broke or has carried its share."""

    def __init__(self, server: SmtpServer) -> None:
        self._server = server
        self._smtp = _client(server)
        self._carried = 0

    async def __aenter__(self) -> Self:
        await self._connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._hang_up()

    async def send(self, letter: RenderedMail, before_data: Callable[[], Awaitable[None]]) -> None:
        """Hand a letter over. `before_data` runs once the recipient is accepted; if it raises, nothing is sent.

        Raises:
            Refused: never for this recipient or letter.
            NotTaken: not now; surely not taken.
            InDoubt: the connection broke after DATA: it may have been taken.
            MailerAway: no connection at all.
        """
        await self._be_connected()
        await self._envelope(letter)
        try:
            await before_data()
        except BaseException:
            self._smtp.close()
            raise
        await self._data(letter)
        self._carried += 1

    async def _be_connected(self) -> None:
        if self._carried >= self._server.mails_per_connection:
            await self._hang_up()
        if not self._smtp.is_connected:
            await self._connect()

    async def _connect(self) -> None:
        self._smtp, self._carried = _client(self._server), 0
        try:
            await self._smtp.connect()
        except SMTPAuthenticationError as error:
            raise MailServerUnavailable(f"the mail server refuses our credentials: {error.code}") from error
        except (SMTPException, OSError, ValueError) as error:
            raise MailServerUnavailable(f"{self._server.host}:{self._server.port}: {error}") from error

    async def _envelope(self, letter: RenderedMail) -> None:
        try:
            await self._smtp.mail(letter.sender)
            await self._smtp.rcpt(letter.recipient)
        except SMTPRecipientRefused as error:
            await self._reset()
            raise _answer(error) from error
        except SMTPResponseException as error:
            # Refusing the sender is no fault of this letter: all wait until the settings or the server change.
            await self._hang_up()
            raise MailServerUnavailable(f"{error.code} to MAIL") from error
        except ValueError as error:
            await self._reset()
            raise Refused(f"unsendable address: {type(error).__name__}") from error
        except (SMTPException, OSError) as error:
            self._smtp.close()
            raise NotAccepted(f"the connection was lost before DATA: {type(error).__name__}") from error

    async def _data(self, letter: RenderedMail) -> None:
        try:
            await self._smtp.data(letter.content)
        except SMTPResponseException as error:
            await self._reset()
            raise _answer(error) from error
        except (SMTPException, OSError) as error:
            self._smtp.close()
            raise Unconfirmed(f"the connection was lost after DATA: {type(error).__name__}") from error

    async def _reset(self) -> None:
        try:
            await self._smtp.rset()
        except (SMTPException, OSError):
            self._smtp.close()

    async def _hang_up(self) -> None:
        with contextlib.suppress(SMTPException, OSError):
            await self._smtp.quit()
        self._smtp.close()


def _client(server: SmtpServer) -> SMTP:
    return SMTP(
        hostname=server.host,
        port=server.port,
        username=server.username or None,
        password=server.password or None,
        use_tls=server.security == "tls",
        start_tls=server.security == "starttls",
        timeout=server.timeout,
    )


def _answer(error: SMTPResponseException) -> Refused | NotAccepted:
    """What a no means: 5xx never, anything else not now. Its text may name the recipient, so it is left out."""
    said = f"the mail server answered {error.code}"
    return Refused(said) if error.code >= _PERMANENT else NotAccepted(said)
