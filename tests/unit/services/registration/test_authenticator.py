"""The authenticator compares keys by hash and caches them for a while."""

from __future__ import annotations

import pytest

from services.registration.authenticator import Authenticator, UnknownKey
from services.registration.keys import OperatorKey, digest_of
from services.registration.memory_store import InMemoryOperators


async def test_a_revoked_key_is_refused_once_the_cache_expires() -> None:
    keys = {"itecam": [OperatorKey(digest_of("old")), OperatorKey(digest_of("new"))]}
    now = 100.0
    authenticator = Authenticator(InMemoryOperators(keys), cache_seconds=5, now=lambda: now)
    assert (await authenticator.principal_of("itecam.old")).operator_id == "itecam"
    keys["itecam"] = [OperatorKey(digest_of("old"), revoked=True), OperatorKey(digest_of("new"))]
    assert (await authenticator.principal_of("itecam.old")).operator_id == "itecam"
    now = 106.0
    with pytest.raises(UnknownKey):
        await authenticator.principal_of("itecam.old")
    assert (await authenticator.principal_of("itecam.new")).operator_id == "itecam"
