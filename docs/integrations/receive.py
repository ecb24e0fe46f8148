"""A receiver of webhooks: verifies each message, drops repeats, and keeps the newest agenda of each participant.

WEBHOOK_SECRET="whsec_… whpk_…" PORT=9000 python receive.py     needs: pip install standardwebhooks cryptography
"""

from __future__ import annotations

import base64
import json
import os
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Lock

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from standardwebhooks import Webhook, WebhookVerificationError

# Secrets (whsec_) and public keys (whpk_), separated by blanks. During a rotation: the new one and the old one.
SECRETS = os.environ["WEBHOOK_SECRET"].split()
TOLERANCE_SECONDS = 300

lock = Lock()
seen: set[str] = set()  # message ids; a database keeps them for some days
agendas: dict[str, dict] = {}  # by participant; a database keeps them for good


def is_genuine(headers: dict[str, str], body: bytes) -> bool:
    """Tell whether one of our secrets signed the message within the last five minutes."""
    return any((by_key_pair if secret.startswith("whpk_") else by_secret)(secret, headers, body) for secret in SECRETS)


def by_secret(secret: str, headers: dict[str, str], body: bytes) -> bool:
    try:
        Webhook(secret).verify(body, headers)
    except WebhookVerificationError:
        return False
    return True


def by_key_pair(public: str, headers: dict[str, str], body: bytes) -> bool:
    message_id, at = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not at.isdecimal() or abs(time.time() - int(at)) > TOLERANCE_SECONDS:
        return False
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(public.removeprefix("whpk_")))
    for entry in headers.get("webhook-signature", "").split():
        version, _, signature = entry.partition(",")
        if version == "v1a":
            try:
                key.verify(base64.b64decode(signature), f"{message_id}.{at}.".encode() + body)
            except (InvalidSignature, ValueError):
                continue
            return True
    return False


def take(message_id: str, event: dict) -> None:
    """Keep an event. A repeat changes nothing, and neither does an older revision."""
    with lock:
        if message_id in seen:
            return
        seen.add(message_id)
        data = event["data"]
        if event["type"] == "org.tertulia.agenda.changed.v1":
            known = agendas.get(data["participant_id"])
            if known is None or known["revision"] < data["revision"]:
                agendas[data["participant_id"]] = data


class Receiver(BaseHTTPRequestHandler):
    """Answers 204 once a message is kept, 401 to a message that is not genuine. `GET /` shows the agendas."""

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        if not is_genuine(headers, body):
            self.send_error(401)
            return
        take(headers["webhook-id"], json.loads(body))
        self.send_response(204)
        self.end_headers()

    def do_GET(self) -> None:
        with lock:
            shown = json.dumps({"agendas": agendas, "messages": len(seen)}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(shown)))
        self.end_headers()
        self.wfile.write(shown)


ThreadingHTTPServer(("127.0.0.1", int(os.environ["PORT"])), Receiver).serve_forever()
