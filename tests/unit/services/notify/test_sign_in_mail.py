"""The mail with a sign-in link, in each language, and against hostile names."""

from __future__ import annotations

from email import message_from_bytes, policy

import pytest

from services.notify.ports import Refused
from services.notify.rendering.link_mail import LinkMailWriter
from services.notify.rendering.link_phrases import ADDRESS_PHRASES, PHRASES
from services.notify.settings import Settings
from shared.contract.events import Language
from shared.internal_api.address_mail import AddressMail, AddressMailKind
from shared.internal_api.sign_in import SignInMail
from shared.runtime.clock import utc_now

LINK = "https://api.example.org/sign-in?link=s3cret-0123456789abcdefghijklmnopqrstuvwxyz"


def asked(**changes: object) -> SignInMail:
    fields = {"email": "eva@itecam.example", "name": "Eva Sanz", "language": "es", "link": LINK, "minutes": 15}
    return SignInMail.model_validate(fields | changes)


@pytest.mark.parametrize("language", list(Language))
def test_each_language_has_the_mail_with_its_link_whole(language: Language) -> None:
    mail = LinkMailWriter(Settings(), utc_now).write(asked(language=language))
    message = message_from_bytes(mail.content, policy=policy.default)
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert LINK in plain.get_content().split()
    assert f'href="{LINK}"' in html.get_content()
    assert "15" in plain.get_content()
    assert message["content-language"] == language.value
    assert mail.recipient == "eva@itecam.example"
    assert len({phrases.subject for phrases in PHRASES.values()}) == len(PHRASES)


@pytest.mark.parametrize(
    "name", ["<b>Eva</b>", 'Eva" <x@y.example>', "=?utf-8?q?=0d=0aBcc:_v=40e.example?=", "E\r\nBcc: v"]
)
def test_a_hostile_name_stays_a_name(name: str) -> None:
    mail = LinkMailWriter(Settings(), utc_now).write(asked(name=name))
    message = message_from_bytes(mail.content, policy=policy.default)
    assert message["bcc"] is None
    assert [address.addr_spec for address in message["to"].addresses] == ["eva@itecam.example"]
    html = message.get_body(("html",))
    assert html is not None
    assert "<b>" not in html.get_content()


def test_an_address_that_cannot_be_written_is_refused() -> None:
    with pytest.raises(Refused):
        LinkMailWriter(Settings(), utc_now).write(asked(email="evá@itecam.example"))


@pytest.mark.parametrize("language", list(Language))
@pytest.mark.parametrize("kind", list(AddressMailKind))
def test_each_language_has_both_mails_about_a_new_address(kind: AddressMailKind, language: Language) -> None:
    link = LINK if kind is AddressMailKind.CONFIRM else ""
    mail = LinkMailWriter(Settings(), utc_now).write(
        AddressMail(
            kind=kind,
            email="eva@itecam.example",
            name="Eva {name}",
            language=language,
            edition="B2B {edition} <2026>",
            link=link,
            hours=72,
        )
    )
    message = message_from_bytes(mail.content, policy=policy.default)
    plain, html = message.get_body(("plain",)), message.get_body(("html",))
    assert plain is not None
    assert html is not None
    assert "B2B {edition} <2026>" in " ".join(plain.get_content().split())
    assert "Eva {name}" in plain.get_content()
    assert (LINK in plain.get_content().split(), "<a href" in html.get_content(), "72" in plain.get_content()) == (
        (True, True, True) if link else (False, False, False)
    )
    assert len({phrases.subject for phrases in ADDRESS_PHRASES[kind].values()}) == len(Language)
