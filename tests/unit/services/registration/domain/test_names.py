"""A name is a single clean line."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from services.registration.domain.names import clean_email, clean_line, clean_text
from services.registration.domain.participant import Participant
from shared.contract.spelling import same_name


@given(st.text(max_size=50))
def test_a_clean_line_stays_as_it_is(text: str) -> None:
    try:
        line = clean_line(text)
    except ValueError:
        return
    assert clean_line(line) == line
    assert unicodedata.is_normalized("NFC", line)
    assert line.isprintable() or not set(line) & set("\r\n\0\x85\u2028\u2029\u202a\u202e\u2066\u2069")
    assert same_name(same_name(line)) == same_name(line)


@pytest.mark.parametrize(
    "point", [0, 9, 10, 13, 0x1B, 0x7F, 0x85, 0x2028, 0x2029, *range(0x202A, 0x202F), 0x2066, 0x2069, 0xD800]
)
def test_a_character_that_is_no_text_is_refused_with_its_position(point: int) -> None:
    with pytest.raises(ValueError, match=f"U\\+{point:04X} at position 2"):
        clean_line(f"ab{chr(point)}c")


@pytest.mark.parametrize("text", ["=?utf-8?q?=0d=0aBcc:_x?=", "ab =?UTF-8?B?DQpCY2M6?= c", "=?iso-8859-1*en?q?a?="])
def test_a_name_with_an_encoded_word_is_refused_with_its_position(text: str) -> None:
    with pytest.raises(ValueError, match=f"at position {text.index('=?')} is encoded for a mail header"):
        clean_line(text)


@pytest.mark.parametrize("text", ["a=?b", "x=?y?=z", "https://x.example/?a=?&b=?"])
def test_signs_of_an_encoded_word_alone_are_text(text: str) -> None:
    assert clean_line(text) == text


def test_an_address_with_an_encoded_word_is_refused() -> None:
    with pytest.raises(ValueError, match="is encoded for a mail header"):
        clean_email("=?utf-8?q?=0d=0aBcc?=@example.org")


def test_free_text_may_have_line_breaks() -> None:
    assert clean_text(" one\n\ttwo ") == "one\n\ttwo"
    with pytest.raises(ValueError, match="position 0"):
        clean_text("\u202etwo")


def test_spellings_of_a_name_share_a_key() -> None:
    assert same_name("\uff21cme  GmbH") == same_name("ACME gmbh")
    assert clean_email("Ana@ACME.example") == "Ana@acme.example"


def test_stored_text_is_read_although_it_breaks_a_later_rule() -> None:
    document = {
        "operator_id": "op_1",
        "edition_id": "edn_1",
        "created_at": "2026-11-01T09:00:00Z",
        "changed_at": "2026-11-01T09:00:00Z",
        "participant_id": "prt_1",
        "organisation_id": "org_1",
        "name": " Ana\u202e ",
        "email": "no address any more",
        "languages": ("es",),
    }
    read = Participant.stored(document)
    assert (read.name, read.email) == (document["name"], document["email"])
    with pytest.raises(ValidationError):
        Participant.model_validate(document)


def test_an_address_that_few_servers_take_is_refused_with_its_letters() -> None:
    with pytest.raises(ValueError, match="few mail servers take 'é' before the @"):
        clean_email("josé@mail.example")


def test_a_domain_keeps_its_letters() -> None:
    assert clean_email("ana@faß.example") == "ana@faß.example"
