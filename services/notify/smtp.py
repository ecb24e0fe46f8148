"""SMTP in single steps: the ledger is written between RCPT and DATA, so a lost answer leaves an unconfirmed mail."""

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

from services.notify.ports import (
    MailServerUnavailable,
    NotAccepted,
    Refused,
    RefusedByServer,
    RenderedMail,
    Unconfirmed,
)
from services.notify.settings import Settings

_CLOSING = 421
_PERMANENT = 500


@dataclass(frozen=True)
class SmtpServer:
    """Address and credentials of the mail server."""

    host: str
    port: int
    security: str = "none"
    username: str = ""
    password: str = ""
    timeout: float = 30.0
    data_timeout: float = 600.0
    mails_per_connection: int = 100

    @classmethod
    def of(cls, settings: Settings) -> SmtpServer:
        """Return the mail server of the settings."""
        return cls(
            host=settings.smtp_host,
            port=settings.smtp_port,
            security=settings.smtp_security,
            username=settings.smtp_username,
            password=settings.smtp_password.get_secret_value(),
            timeout=settings.smtp_timeout_seconds,
            data_timeout=settings.smtp_data_seconds,
            mails_per_connection=settings.smtp_mails_per_connection,
        )


class SmtpMailer:
    """Opens connections to a mail server: implements `services.notify.ports.Mailer`."""

    def __init__(self, server: SmtpServer) -> None:
        self._server = server

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[SmtpConnection]:
        """Open a connection for many mails in sequence.

        Raises:
            MailServerUnavailable: no connection, or the server rejects TLS or the credentials.
        """
        async with SmtpConnection(self._server) as connection:
            yield connection


class SmtpConnection:
    """A connection to the mail server. It is renewed when it broke, or after its share of mails."""

    def __init__(self, server: SmtpServer) -> None:
        self._server = server
        self._smtp = _client(server)
        self._mails_sent = 0

    async def __aenter__(self) -> Self:
        await self._connect()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self._disconnect()

    async def send(self, mail: RenderedMail, before_data: Callable[[], Awaitable[None]]) -> None:
        """Hand a mail over: see `services.notify.ports.MailConnection.send`."""
        await self._ensure_connected()
        await self._envelope(mail)
        try:
            await before_data()
        except BaseException:
            self._smtp.close()
            raise
        await self._data(mail)
        self._mails_sent += 1

    async def _ensure_connected(self) -> None:
        if self._mails_sent >= self._server.mails_per_connection:
            await self._disconnect()
        if not self._smtp.is_connected:
            await self._connect()

    async def _connect(self) -> None:
        self._smtp, self._mails_sent = _client(self._server), 0
        try:
            await self._smtp.connect()
        except SMTPAuthenticationError as error:
            raise MailServerUnavailable(
                f"the mail server refuses the credentials of TERTULIA_SMTP_USERNAME with {error.code}"
            ) from error
        except (SMTPException, OSError, ValueError) as error:
            raise MailServerUnavailable(f"no connection to {self._server.host}:{self._server.port}: {error}") from error

    async def _envelope(self, mail: RenderedMail) -> None:
        try:
            await self._smtp.mail(mail.sender)
            await self._smtp.rcpt(mail.recipient)
        except SMTPRecipientRefused as error:
            await self._reset()
            raise self._answer(error, is_address=True) from error
        except SMTPResponseException as error:
            # The server refuses the sender, so every mail waits until the settings or the server change.
            await self._disconnect()
            raise MailServerUnavailable(
                f"the mail server answered {error.code} to MAIL FROM: check TERTULIA_MAIL_FROM"
            ) from error
        except ValueError as error:
            await self._reset()
            raise Refused(f"unsendable address: {type(error).__name__}") from error
        except (SMTPException, OSError) as error:
            self._smtp.close()
            raise NotAccepted(f"the connection was lost before DATA: {type(error).__name__}") from error

    async def _data(self, mail: RenderedMail) -> None:
        try:
            await self._smtp.data(mail.content, timeout=self._server.data_timeout)
        except SMTPResponseException as error:
            await self._reset()
            raise self._answer(error) from error
        except (SMTPException, OSError) as error:
            self._smtp.close()
            raise Unconfirmed(f"the connection was lost after DATA: {type(error).__name__}") from error

    def _answer(self, error: SMTPResponseException, *, is_address: bool = False) -> Exception:
        """Return the error of an answer, without its text: it may name the recipient.

        421 tells that the server closes the connection, for no fault of this mail (RFC 5321, 3.8).
        """
        message = f"the mail server answered {error.code}"
        if error.code == _CLOSING:
            self._smtp.close()
            return MailServerUnavailable(f"{message}: it takes no mails now")
        if error.code >= _PERMANENT:
            return RefusedByServer(message, is_address=is_address)
        return NotAccepted(message)

    async def _reset(self) -> None:
        try:
            await self._smtp.rset()
        except (SMTPException, OSError):
            self._smtp.close()

    async def _disconnect(self) -> None:
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
