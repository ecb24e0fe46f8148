"""Webhooks as their owners set them. The events service keeps them, and sends."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Final, Self

from pydantic import Field, StringConstraints, model_validator

from services.registration.domain.entity import Facts
from services.registration.domain.names import Line
from shared.contract.events import Instant
from shared.contract.ids import Id
from shared.internal_api.webhooks import LONGEST_OVERLAP_HOURS, LONGEST_URL, WebhookAlgorithm, WebhookView

_USUAL_OVERLAP_HOURS: Final = 24.0
_MOST_TYPES: Final = 20


class WebhookFacts(Facts):
    """Fields of a webhook that its owner sets."""

    url: Annotated[str, StringConstraints(min_length=1, max_length=LONGEST_URL)] = Field(
        description="The address that events are sent to by POST: https, a public host, and the port 443 unless the "
        "installation permits more."
    )
    label: Line = Field(description="For people, such as the program that receives.")
    edition_id: Id | None = Field(
        default=None, description="The only edition whose events are sent; null: all, also future."
    )
    types: tuple[Annotated[str, StringConstraints(min_length=1, max_length=100)], ...] = Field(
        default=(),
        max_length=_MOST_TYPES,
        description="Kinds or full types of the events that are sent, such as `agenda`; empty: all.",
    )
    is_disabled: bool = Field(
        default=False, description="Nothing is sent while it is true; all events since are sent afterwards."
    )


class NewWebhookFacts(WebhookFacts):
    """Fields of a webhook that is made."""

    algorithm: WebhookAlgorithm = Field(
        default=WebhookAlgorithm.HMAC,
        description="`hmac-sha256` signs with a shared secret, `ed25519` with a key pair.",
    )
    from_start: bool = Field(
        default=False, description="Tell all events of the change feed, before those that are to come."
    )


class WebhookSecretFacts(Facts):
    """The time for which the secret before signs beside its successor."""

    overlap_hours: float = Field(default=_USUAL_OVERLAP_HOURS, ge=0, le=LONGEST_OVERLAP_HOURS)
    algorithm: WebhookAlgorithm | None = Field(
        default=None, description="Another way to sign; null: as before. Receivers get the new text either way."
    )


class WebhookReplayFacts(Facts):
    """The ended deliveries that are sent again."""

    since: Instant | None = Field(default=None, alias="from", description="Made at this time or later.")
    until: Instant | None = Field(default=None, alias="to", description="Made before this time.")
    only_failed: bool = Field(default=True, description="Leave delivered messages out.")

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.since is not None and self.until is not None and self.until <= self.since:
            raise ValueError("`to` must be later than `from`")
        return self


class StoredWebhook(WebhookView):
    """A webhook at a revision, on which changes are made."""

    NOUN: ClassVar[str] = "webhook"

    @property
    def id(self) -> str:
        """The id of the webhook."""
        return self.webhook_id

    def facts(self, kind: type[Facts]) -> dict[str, Any]:
        """The fields that the owner set, as JSON values."""
        return self.model_dump(mode="json", include=set(kind.model_fields))
