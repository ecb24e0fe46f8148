"""Staff accounts, sign-in links and sessions. Pure.

Nothing that opens an account is stored: links and sessions are kept as SHA-256 of 256 random bits, like API keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, ClassVar, Final, Self
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, Field

from services.registration.domain.entity import Facts
from services.registration.domain.names import Email, Line, same_address
from shared.access import Principal, PrincipalKind, StaffRole
from shared.contract.events import Instant, Language
from shared.contract.ids import Id

#: Life of a mailed link. It is used once.
LINK_LIFE: Final = timedelta(minutes=15)
#: Life of a session: a working day. After it the staff member signs in again.
SESSION_LIFE: Final = timedelta(hours=12)
#: Accounts that an operator may have.
MOST_STAFF: Final = 500
_SESSION: Final = "S1"


class StaffFacts(Facts):
    """Fields of a staff account that an owner sets."""

    email: Email = Field(description="Sign-in links are mailed there. Another address is another account.")
    name: Line
    role: StaffRole
    editions: tuple[Id, ...] | None = Field(
        default=None,
        min_length=1,
        max_length=100,
        description="Editions of the account; null: all, also future.",
    )
    language: Language = Field(default=Language.ENGLISH, description="Of the mails with sign-in links.")
    is_disabled: bool = Field(default=False, description="A disabled account signs in no more, and its sessions end.")


class SignInFacts(Facts):
    """The operator and the address for which a sign-in link is asked."""

    operator_id: Id
    email: Email


class LinkFacts(Facts):
    """The secret of a sign-in link."""

    link: str = Field(min_length=1, max_length=300)


class StaffMember(BaseModel):
    """A staff account of an operator."""

    model_config = ConfigDict(frozen=True)

    NOUN: ClassVar[str] = "staff account"

    staff_id: Id
    operator_id: Id
    revision: int = 1
    email: str
    name: str
    role: StaffRole
    editions: tuple[str, ...] | None = None
    language: Language = Language.ENGLISH
    is_disabled: bool = False
    created_at: Instant
    created_by: str

    @classmethod
    def made(cls, facts: StaffFacts, operator_id: str, now: datetime, actor: str) -> Self:
        """Return a new account."""
        return cls(
            staff_id=f"stf_{uuid4().hex}", operator_id=operator_id, created_at=now, created_by=actor, **facts.values()
        )

    def changed(self, fields: Mapping[str, Any]) -> Self:
        """Return the next revision with these fields; the account itself if no field differs."""
        if all(getattr(self, name) == value for name, value in fields.items()):
            return self
        return self.model_copy(update={**fields, "revision": self.revision + 1})

    @property
    def id(self) -> str:
        """The id of the account."""
        return self.staff_id

    def facts(self, kind: type[Facts]) -> dict[str, Any]:
        """The fields that an owner set, as JSON values."""
        return self.model_dump(mode="json", include=set(kind.model_fields))

    @property
    def address_key(self) -> str:
        """The key that the account has alone: operator and address, whatever its case."""
        return address_key(self.operator_id, self.email)

    def principal(self, expires_at: datetime) -> Principal:
        """Return the principal that a session of this account stands for."""
        editions = None if self.editions is None else frozenset(self.editions)
        return Principal(
            PrincipalKind.STAFF,
            self.staff_id,
            self.operator_id,
            role=self.role,
            editions=editions,
            expires_at=expires_at,
        )


class StaffSession(BaseModel):
    """A session of a staff account, by the hash of its secret."""

    model_config = ConfigDict(frozen=True)

    digest: str
    operator_id: Id
    staff_id: Id
    expires_at: Instant


def address_key(operator_id: str, email: str) -> str:
    """Return the key of an account: operator and address, whatever its case."""
    return f"{operator_id}/{same_address(email)}"


def session_text(operator_id: str, secret: str) -> str:
    """Return the credential of a session, to present as `Authorization: Bearer`."""
    return f"{_SESSION}.{operator_id}.{secret}"


def secret_of_session(presented: str) -> tuple[str, str] | None:
    """Return operator and secret of a session's credential; None for another kind of credential."""
    version, _, rest = presented.partition(".")
    operator_id, separator, secret = rest.partition(".")
    return (operator_id, secret) if version == _SESSION and separator and secret else None
