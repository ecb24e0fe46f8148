from __future__ import annotations

from typing import Any

import pytest

from services.notify.ports import (
    MailServerUnavailable,
    NotAccepted,
    Refused,
    RefusedByServer,
    RenderedMail,
    Unconfirmed,
)
from services.notify.smtp import SmtpMailer, SmtpServer
from tests.integration.notify.mail_server import RealMailServer


class LedgerProbe:
    """Counts the calls of `before_data`."""

    def __init__(self) -> None:
        self.started = 0

    async def start(self) -> None:
        self.started += 1


def rendered(recipient: str) -> RenderedMail:
    content = f"To: {recipient}\r\nSubject: test\r\n\r\n.a line with a dot\r\n".encode()
    return RenderedMail("agenda@example.org", recipient, content)


def mailer(mail_server: RealMailServer, **fields: Any) -> SmtpMailer:
    return SmtpMailer(SmtpServer(mail_server.host, mail_server.port, **fields))


async def test_many_mails_go_over_one_connection(mail_server: RealMailServer) -> None:
    ledger = LedgerProbe()
    async with mailer(mail_server).open() as connection:
        for number in range(5):
            await connection.send(rendered(f"person{number}@example.org"), ledger.start)
    assert [envelope.rcpt_tos for envelope in mail_server.taken] == [[f"person{n}@example.org"] for n in range(5)]
    content = mail_server.taken[0].content
    assert isinstance(content, bytes)
    assert content.endswith(b"\r\n\r\n.a line with a dot\r\n")
    assert mail_server.connections == 1
    assert ledger.started == 5


async def test_a_connection_is_renewed_after_its_share_of_mails(mail_server: RealMailServer) -> None:
    async with mailer(mail_server, mails_per_connection=2).open() as connection:
        for number in range(5):
            await connection.send(rendered(f"person{number}@example.org"), LedgerProbe().start)
    assert len(mail_server.taken) == 5
    assert mail_server.connections == 3


@pytest.mark.parametrize(
    ("recipient", "error", "started"),
    [
        ("closing@example.org", MailServerUnavailable, 0),
        ("unknown@example.org", Refused, 0),
        ("greylisted@example.org", NotAccepted, 0),
        ("hangs-up@example.org", NotAccepted, 0),
        ("spam@example.org", Refused, 1),
        ("busy@example.org", NotAccepted, 1),
        ("drops@example.org", Unconfirmed, 1),
        ("slow@example.org", Unconfirmed, 1),
        ("josé@example.org", Refused, 0),
    ],
)
async def test_a_server_s_answer_becomes_an_error_and_the_connection_goes_on(
    mail_server: RealMailServer, recipient: str, error: type[Exception], started: int
) -> None:
    ledger = LedgerProbe()
    async with mailer(mail_server, timeout=1, data_timeout=1).open() as connection:
        with pytest.raises(error):
            await connection.send(rendered(recipient), ledger.start)
        assert ledger.started == started
        await connection.send(rendered("next@example.org"), ledger.start)
    assert mail_server.taken[-1].rcpt_tos == ["next@example.org"]


async def test_a_refused_address_is_told_from_a_refused_text(mail_server: RealMailServer) -> None:
    async with mailer(mail_server).open() as connection:
        for recipient, is_address in (("unknown@example.org", True), ("spam@example.org", False)):
            with pytest.raises(RefusedByServer) as refused:
                await connection.send(rendered(recipient), LedgerProbe().start)
            assert refused.value.is_address is is_address


async def test_a_server_that_drops_after_data_may_have_accepted_the_mail(mail_server: RealMailServer) -> None:
    async with mailer(mail_server).open() as connection:
        with pytest.raises(Unconfirmed):
            await connection.send(rendered("drops@example.org"), LedgerProbe().start)
    assert [envelope.rcpt_tos for envelope in mail_server.taken] == [["drops@example.org"]]


async def test_nothing_is_sent_if_the_ledger_cannot_be_written(mail_server: RealMailServer) -> None:
    async def fails() -> None:
        raise RuntimeError("the ledger is away")

    async with mailer(mail_server).open() as connection:
        with pytest.raises(RuntimeError):
            await connection.send(rendered("person@example.org"), fails)
        await connection.send(rendered("next@example.org"), LedgerProbe().start)
    assert [envelope.rcpt_tos for envelope in mail_server.taken] == [["next@example.org"]]


async def test_without_a_server_the_mail_server_is_unavailable() -> None:
    with pytest.raises(MailServerUnavailable):
        async with SmtpMailer(SmtpServer("127.0.0.1", 1, timeout=1)).open():
            pass


async def test_a_server_without_tls_is_unavailable_if_tls_is_required(mail_server: RealMailServer) -> None:
    with pytest.raises(MailServerUnavailable):
        async with mailer(mail_server, security="starttls", timeout=2).open():
            pass


async def test_a_server_that_rejects_the_credentials_is_unavailable(mail_server: RealMailServer) -> None:
    with pytest.raises(MailServerUnavailable):
        async with mailer(mail_server, username="tertulia", password="secret", timeout=2).open():
            pass
