"""Changes of an operator's list of keys."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.registration.domain.errors import CeilingReached, Conflict, Invalid, NotFound
from services.registration.keys import (
    MOST_KEYS,
    KeyFacts,
    OperatorKey,
    digest_of,
    successor_of,
    with_key,
    with_successor,
    without_key,
)
from shared.access import Scope

NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)
DAY = timedelta(days=1)


def named(name: str, **fields: object) -> OperatorKey:
    return OperatorKey(digest_of(name), **fields)  # type: ignore[arg-type] # any fields


def test_a_key_of_before_has_all_rights() -> None:
    assert named("old").scopes == {Scope.OWNER}


def test_a_key_cannot_be_made_to_expire_in_the_past() -> None:
    facts = KeyFacts(label="CRM", scopes=(Scope.READ,), expires_at=NOW)
    with pytest.raises(Invalid, match="2026-11-01 09:00 UTC has passed"):
        OperatorKey.made(facts, "secret", NOW, "staff:s1")


def test_an_operator_has_so_many_keys_in_use_and_any_number_that_have_ended() -> None:
    full = [named(str(number)) for number in range(MOST_KEYS)]
    with pytest.raises(CeilingReached, match="revoke a key first"):
        with_key(full, named("new"), NOW)
    assert len(with_key(without_key(full, full[0].id), named("new"), NOW)) == MOST_KEYS + 1


def test_the_oldest_ended_keys_leave_the_list() -> None:
    ended = [named(str(number), revoked=True) for number in range(1000)]
    keys = with_key([named("first"), *ended], named("new"), NOW)
    assert keys[0] == named("first")
    assert keys[1:-1] == ended[-400:]


def test_a_rotated_key_expires_after_the_overlap_and_its_successor_has_its_rights() -> None:
    old = named("old", scopes=frozenset({Scope.READ}), editions=frozenset({"edn_1"}), label="CRM")
    new = successor_of(old, "new", NOW, "key:abc")
    keys = with_successor([old], old.id, new, DAY, NOW)
    assert [(key.id, key.expires_at) for key in keys] == [(old.id, NOW + DAY), (new.id, None)]
    assert (new.scopes, new.editions, new.label) == (old.scopes, old.editions, old.label)


def test_a_successor_lives_as_long_as_the_key_before_was_to_live() -> None:
    old = named("old", created_at=NOW - 20 * DAY, expires_at=NOW + 10 * DAY)
    new = successor_of(old, "new", NOW, "key:abc")
    assert new.expires_at == NOW + 30 * DAY
    assert with_successor([old], old.id, new, 20 * DAY, NOW)[0].expires_at == NOW + 10 * DAY


@pytest.mark.parametrize("ended", [named("old", revoked=True), named("old", expires_at=NOW)])
def test_a_key_that_has_ended_is_not_rotated(ended: OperatorKey) -> None:
    with pytest.raises(Conflict, match="revoked or has expired"):
        successor_of(ended, "new", NOW, "key:abc")


def test_an_unknown_key_is_neither_revoked_nor_rotated() -> None:
    with pytest.raises(NotFound):
        without_key([named("old")], "none")
    with pytest.raises(NotFound):
        with_successor([named("old")], "none", named("new"), DAY, NOW)
