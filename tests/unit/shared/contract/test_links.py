from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.contract.links import BadLink, Link, LinkPurpose, LinkSigner

SIGNER = LinkSigner("a secret of thirty-two characters")
LINK = Link(
    purpose=LinkPurpose.FEED,
    operator_id="op_1",
    edition_id="edn_1",
    participant_id="prt_0",
    links=0,
    person="person_1",
)


def test_a_signed_link_is_read_back_and_is_the_same_each_time() -> None:
    text = SIGNER.sign(LINK)
    assert SIGNER.sign(LINK) == text
    assert SIGNER.read(text, LinkPurpose.FEED) == LINK
    assert text.isascii()
    assert len(text) < 300


def test_a_link_of_another_purpose_or_another_secret_is_refused() -> None:
    text = SIGNER.sign(LINK)
    with pytest.raises(BadLink, match="purpose"):
        SIGNER.read(text, LinkPurpose.PAGE)
    with pytest.raises(BadLink):
        LinkSigner("another secret of the same length").read(text, LinkPurpose.FEED)


@given(st.integers(0, 400), st.characters(codec="utf-8"))
def test_no_changed_character_passes(place: int, char: str) -> None:
    text = SIGNER.sign(LINK)
    changed = text[: place % len(text)] + char + text[place % len(text) + 1 :]
    if changed != text:
        with pytest.raises(BadLink):
            SIGNER.read(changed, LinkPurpose.FEED)


@given(st.text(max_size=50) | st.sampled_from(["L1", "L1.", "L1..", "L1.e30.", "." * 700, "L1." + "a" * 700]))
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(BadLink):
        SIGNER.read(text, LinkPurpose.FEED)
