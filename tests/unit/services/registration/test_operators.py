"""The gate: keys are compared by hash, remembered for a while, and revoked ones open nothing."""

from __future__ import annotations

import pytest

from services.registration.operators import Authenticator, UnknownKey, digest_of
from services.registration.store import Key
from services.registration.store_in_memory import InMemoryOperators


async def test_a_revoked_key_opens_nothing_once_forgotten() -> None:
    keys = {"itecam": [Key(digest_of("old")), Key(digest_of("new"))]}
    now = 100.0
    gate = Authenticator(InMemoryOperators(keys), remember_seconds=5, now=lambda: now)
    assert await gate.operator_of("itecam.old") == "itecam"
    keys["itecam"] = [Key(digest_of("old"), revoked=True), Key(digest_of("new"))]
    assert await gate.operator_of("itecam.old") == "itecam"
    now = 106.0
    with pytest.raises(UnknownKey):
        await gate.operator_of("itecam.old")
    assert await gate.operator_of("itecam.new") == "itecam"
