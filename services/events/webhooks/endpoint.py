"""Endpoints: the receivers of an operator's webhooks. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any, Final, Self

from pydantic import BaseModel, ConfigDict, Field

from services.events.item import FeedItem
from services.events.webhooks.signing import SigningSecret
from shared.contract.ids import new_id
from shared.internal_api.webhooks import NewWebhook, SecretRotation, WebhookDraft, WebhookView
from shared.storage.mongo import EVER

#: Secrets that may sign at a time; a further rotation ends the oldest.
_MOST_SECRETS: Final = 4
GONE: Final = "the receiver answered 410: it wants no more messages"
BY_OWNER: Final = "it was disabled by request"


class Endpoint(BaseModel):
    """A receiver with its secrets, its place in the feed, and the process that serves it now.

    `read_to` is a cursor of the operator's feed: all items before it have deliveries. `generation` rises when the feed
    was made anew, so that deliveries keep their order. `reopened` changes when ended deliveries are to be sent again.
    """

    model_config = ConfigDict(frozen=True)

    webhook_id: str
    operator_id: str
    revision: int = 1
    url: str = Field(repr=False)
    label: str
    edition_id: str | None = None
    types: tuple[str, ...] = ()
    secrets: tuple[SigningSecret, ...] = Field(repr=False)
    disabled_reason: str = ""
    disabled_at: datetime | None = None
    created_at: datetime
    created_by: str = ""
    read_to: str = ""
    generation: int = 1
    reopened: str = ""
    failing_since: datetime | None = None
    last_delivered_at: datetime | None = None
    lease_owner: str = ""
    lease_until: datetime = EVER

    @classmethod
    def new(cls, operator_id: str, asked: NewWebhook, read_to: str, now: datetime, actor: str) -> Self:
        """Return a new endpoint with its first secret."""
        return cls(
            webhook_id=new_id("whk"),
            operator_id=operator_id,
            secrets=(SigningSecret.new(asked.algorithm),),
            created_at=now,
            created_by=actor,
            read_to=read_to,
            **_fields_of(asked, now),
        )

    @property
    def is_disabled(self) -> bool:
        """Tell whether nothing is sent."""
        return bool(self.disabled_reason)

    def changed(self, asked: WebhookDraft, now: datetime) -> Self:
        """Return the next revision with these fields. An endpoint that is enabled again begins without failures."""
        fields = _fields_of(asked, now)
        if asked.is_disabled and self.is_disabled:
            fields |= {"disabled_reason": self.disabled_reason, "disabled_at": self.disabled_at}
        elif self.is_disabled:
            fields["failing_since"] = None
        return self.model_copy(update=fields | {"revision": self.revision + 1})

    def rotated(self, asked: SecretRotation, now: datetime) -> Self:
        """Return the next revision with a new secret. The older secrets sign too, until the overlap ends."""
        algorithm = asked.algorithm or self.secrets[0].algorithm
        ends = now + timedelta(hours=asked.overlap_hours)
        older = [
            secret.model_copy(update={"expires_at": min(ends, secret.expires_at or ends)})
            for secret in self.secrets
            if secret.works(now)
        ]
        kept = (SigningSecret.new(algorithm), *(secret for secret in older if secret.works(now)))
        return self.model_copy(update={"secrets": kept[:_MOST_SECRETS], "revision": self.revision + 1})

    def wants(self, item: FeedItem) -> bool:
        """Tell whether an item of the operator's feed is sent to the endpoint."""
        return (self.edition_id is None or item.edition_id == self.edition_id) and (
            not self.types or item.type in self.types
        )

    def view(self, now: datetime) -> WebhookView:
        """Return the endpoint as the API shows it: without secrets."""
        working = [secret for secret in self.secrets if secret.works(now)]
        shown = self.model_dump(include=WebhookView.model_fields.keys() & Endpoint.model_fields.keys())
        return WebhookView(
            **shown,
            is_disabled=self.is_disabled,
            algorithm=self.secrets[0].algorithm,
            public_keys=tuple(key for secret in working if (key := secret.receivers_part).startswith("whpk_")),
            secrets_at_work=len(working),
        )


def _fields_of(asked: WebhookDraft, now: datetime) -> dict[str, Any]:
    return {
        "url": asked.url,
        "label": asked.label,
        "edition_id": asked.edition_id,
        "types": asked.types,
        "disabled_reason": BY_OWNER if asked.is_disabled else "",
        "disabled_at": now if asked.is_disabled else None,
    }
