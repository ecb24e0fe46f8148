"""A new address of a participant, kept until it is confirmed. Registration alone has it: it is on no topic."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field

from services.registration.domain.names import Email
from shared.contract.events import Instant
from shared.contract.personal import PERSONAL

#: Life of a mailed link that confirms an address. It works once.
ADDRESS_LINK_LIFE: Final = timedelta(hours=72)


class PendingAddress(BaseModel):
    """A new address that waits for its confirmation; mails go to the present address until then."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    email: Annotated[Email, PERSONAL]
    asked_at: Instant
    asked_by: str = Field(description="Author of the change: `key:` or `staff:` and an id.")
    expires_at: Instant = Field(description="End of the mailed link. The organiser may still confirm, or mail another.")
    link_sha256: str = Field(description="Hash of the secret in the mailed link.")
