from __future__ import annotations

from typing import Any

import pytest

from services.notify.ports import MailServerUnavailable, NotAccepted, Refused, RenderedMail, Unconfirmed
from services.notify.smtp import SmtpMailer, SmtpServer
from tests.integration.notify.mail_server import MailServer


class Ledger:
    """What the ledger was told, and when."""

    def __init__(self) -> None:
        self.started = 0

    async def start(self) -> None:
        self.started += 1


def rendered(recipient: str) -> RenderedMail:
    content = f"To: {recipient}\r\nSubject: test\r\n\r\n.a line with a dot\r\n".encode()
    return RenderedMail("agenda@example.org", recipient, content)


def mailer(mail_server: MailServer, **fields: Any) -> SmtpMailer:
    return SmtpMailer(SmtpServer(mail_server.host, mail_server.port, **fields))


async def test_many_letters_go_over_one_connection(mail_server: MailServer) -> None:
    ledger = Ledger()
    async with mailer(mail_server).open() as line:
        for number in range(5):
            await line.send(rendered(f"person{number}@example.org"), ledger.start)
    assert [envelope.rcpt_tos for envelope in mail_server.taken] == [[f"person{n}@example.org"] for n in range(5)]
    content = mail_server.taken[0].content
    assert isinstance(content, bytes)
    assert content.endswith(b"\r\n\r\n.a line with a dot\r\n")
    assert mail_server.connections == 1
    assert ledger.started == 5


async def test_a_connection_is_renewed_after_its_share_of_letters(mail_server: MailServer) -> None:
    async with mailer(mail_server, mails_per_connection=2).open() as line:
        for number in range(5):
            await line.send(rendered(f"person{number}@example.org"), Ledger().start)
    assert len(mail_server.taken) == 5
    assert mail_server.connections == 3


@pytest.mark.parametrize(
    ("recipient", "error", "started"),
    [
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
async def test_each_answer_means_what_it_means_and_the_line_goes_on(
    mail_server: MailServer, recipient: str, error: type[Exception], started: int
) -> None:
    ledger = Ledger()
    async with mailer(mail_server, timeout=1).open() as line:
        with pytest.raises(error):
            await line.send(rendered(recipient), ledger.start)
        assert ledger.started == started
        await line.send(rendered("next@example.org"), ledger.start)
    assert mail_server.taken[-1].rcpt_tos == ["next@example.org"]


async def test_a_server_that_drops_after_data_may_well_have_the_letter(mail_server: MailServer) -> None:
    async with mailer(mail_server).open() as line:
        with pytest.raises(Unconfirmed):
            await line.send(rendered("drops@example.org"), Ledger().start)
    assert [envelope.rcpt_tos for envelope in mail_server.taken] == [["drops@example.org"]]


async def test_nothing_is_sent_if_the_ledger_cannot_be_told(mail_server: MailServer) -> None:
    async def fails() -> None:
        raise RuntimeError("the ledger is away")

    async with mailer(mail_server).open() as line:
        with pytest.raises(RuntimeError):
            await line.send(rendered("person@example.org"), fails)
        await line.send(rendered("next@example.org"), Ledger().start)
    assert [envelope.rcpt_tos for envelope in mail_server.taken] == [["next@example.org"]]


async def test_no_server_means_away() -> None:
    with pytest.raises(MailServerUnavailable):
        async with SmtpMailer(SmtpServer("127.0.0.1", 1, timeout=1)).open():
            pass


async def test_a_server_without_the_tls_asked_for_means_away(mail_server: MailServer) -> None:
    with pytest.raises(MailServerUnavailable):
        async with mailer(mail_server, security="starttls", timeout=2).open():
            pass


async def test_a_server_that_wants_no_credentials_of_ours_means_away(mail_server: MailServer) -> None:
    with pytest.raises(MailServerUnavailable):
        async with mailer(mail_server, username="tertulia", password="secret", timeout=2).open():
            pass
