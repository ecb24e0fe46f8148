"""Signatures as Standard Webhooks 1.0 defines them, against its own example and independent verifiers."""

from __future__ import annotations

import base64
from datetime import UTC, datetime, timedelta

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from services.events.webhooks.signing import SigningSecret, signed_headers
from shared.internal_api.webhooks import WebhookAlgorithm

NOW = datetime(2026, 11, 26, 9, tzinfo=UTC)
#: The example in the documents of the standard's library.
SECRET, MESSAGE, AT = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330
BODY, SIGNATURE = '{"test": 2432232314}', "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_the_example_of_the_standard_has_the_signature_that_is_written_there() -> None:
    sent_at = datetime.fromtimestamp(AT, tz=UTC)
    assert SigningSecret(text=SECRET).signature(MESSAGE, sent_at, BODY) == SIGNATURE


def test_a_fraction_of_a_second_is_left_out_of_what_is_signed() -> None:
    sent_at = datetime.fromtimestamp(AT, tz=UTC) + timedelta(milliseconds=999)
    assert SigningSecret(text=SECRET).signature(MESSAGE, sent_at, BODY) == SIGNATURE
    assert signed_headers([SigningSecret(text=SECRET)], MESSAGE, sent_at, BODY)["webhook-timestamp"] == str(AT)


def test_a_key_pair_signs_so_that_the_public_key_verifies() -> None:
    secret = SigningSecret.new(WebhookAlgorithm.ED25519)
    version, _, signature = secret.signature("msg_1", NOW, "{}").partition(",")
    public = Ed25519PublicKey.from_public_bytes(base64.b64decode(secret.receivers_part.removeprefix("whpk_")))
    signed = f"msg_1.{int(NOW.timestamp())}.{{}}".encode()
    public.verify(base64.b64decode(signature), signed)
    assert version == "v1a"
    with pytest.raises(InvalidSignature):
        public.verify(base64.b64decode(signature), signed + b" ")


def test_secrets_are_new_each_time_and_long_enough() -> None:
    for algorithm in WebhookAlgorithm:
        made = {SigningSecret.new(algorithm).text for _ in range(20)}
        assert len(made) == 20
        assert all(len(base64.b64decode(text.partition("_")[2])) == 32 for text in made)


def test_secrets_that_work_sign_and_expired_ones_do_not() -> None:
    newest, older = SigningSecret.new(WebhookAlgorithm.HMAC), SigningSecret.new(WebhookAlgorithm.ED25519)
    older = older.model_copy(update={"expires_at": NOW})
    before = signed_headers([newest, older], "msg_1", NOW - timedelta(seconds=1), "{}")["webhook-signature"]
    after = signed_headers([newest, older], "msg_1", NOW, "{}")["webhook-signature"]
    assert [entry.partition(",")[0] for entry in before.split(" ")] == ["v1", "v1a"]
    assert after == newest.signature("msg_1", NOW, "{}")


def test_a_secret_is_in_no_representation() -> None:
    secret = SigningSecret.new(WebhookAlgorithm.HMAC)
    assert secret.text not in repr(secret)
