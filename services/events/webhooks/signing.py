"""Signatures of webhooks: Standard Webhooks 1.0, by a shared secret (HMAC-SHA256) or a key pair (ed25519). Pure."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from datetime import datetime

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import BaseModel, ConfigDict, Field
from standardwebhooks import Webhook

from shared.internal_api.webhooks import WebhookAlgorithm

_SHARED, _PRIVATE, _PUBLIC = "whsec_", "whsk_", "whpk_"
_SECRET_BYTES = 32


class SigningSecret(BaseModel):
    """A secret that signs the messages of an endpoint. After a rotation the older one signs too, until it expires."""

    model_config = ConfigDict(frozen=True)

    text: str = Field(repr=False)
    expires_at: datetime | None = None

    @classmethod
    def new(cls, algorithm: WebhookAlgorithm) -> SigningSecret:
        """Return a new secret: `whsec_` with 32 random bytes, or `whsk_` with a private key, both in base64."""
        drawn = base64.b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()
        return cls(text=(_SHARED if algorithm is WebhookAlgorithm.HMAC else _PRIVATE) + drawn)

    @property
    def algorithm(self) -> WebhookAlgorithm:
        """The algorithm of the secret."""
        return WebhookAlgorithm.HMAC if self.text.startswith(_SHARED) else WebhookAlgorithm.ED25519

    @property
    def receivers_part(self) -> str:
        """The text with which a receiver verifies: the shared secret itself, or the public key, `whpk_`."""
        if self.algorithm is WebhookAlgorithm.HMAC:
            return self.text
        return _PUBLIC + base64.b64encode(self._private_key().public_key().public_bytes_raw()).decode()

    def works(self, now: datetime) -> bool:
        """Tell whether the secret signs at this time."""
        return self.expires_at is None or now < self.expires_at

    def signature(self, message_id: str, sent_at: datetime, body: str) -> str:
        """Return the signature of a message with its version: `v1,` for a shared secret, `v1a,` for a key pair."""
        if self.algorithm is WebhookAlgorithm.HMAC:
            return Webhook(self.text).sign(message_id, sent_at, body)
        signed = f"{message_id}.{int(sent_at.timestamp())}.{body}".encode()
        return "v1a," + base64.b64encode(self._private_key().sign(signed)).decode()

    def _private_key(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(base64.b64decode(self.text.removeprefix(_PRIVATE)))


def signed_headers(signing: Sequence[SigningSecret], message_id: str, sent_at: datetime, body: str) -> dict[str, str]:
    """Return the headers that identify and sign a message: the signatures of all secrets that work, newest first."""
    working = [secret for secret in signing if secret.works(sent_at)]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(sent_at.timestamp())),
        "webhook-signature": " ".join(secret.signature(message_id, sent_at, body) for secret in working),
    }
