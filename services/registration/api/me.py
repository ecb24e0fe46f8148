"""The endpoint that tells a caller its own rights."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.registration.api.access import CurrentPrincipal, CurrentService
from services.registration.api.rights import needs
from shared.access import Action, PrincipalKind, Scope, StaffRole
from shared.contract.events import Instant

router = APIRouter(prefix="/me", tags=["access"])


class OwnRights(BaseModel):
    """The principal behind a credential, with its rights."""

    kind: PrincipalKind
    id: str
    actor: str = Field(description="The principal as records of its changes name it.")
    operator_id: str
    scopes: list[Scope] = Field(description="Of a key.")
    role: StaffRole | None = Field(description="Of a staff account.")
    editions: list[str] | None = Field(description="Editions that the principal may see; null: all of the operator.")
    expires_at: Instant | None
    actions: list[Action] = Field(description="All actions that the principal may do.")
    sees: str = Field(description="Personal data that answers hold: ids, organisations, names or all.")


@router.get("")
@needs(Action.SEE_OWN_RIGHTS)
async def see_own_rights(principal: CurrentPrincipal, _: CurrentService) -> OwnRights:
    """Return the caller and its rights."""
    return OwnRights(
        kind=principal.kind,
        id=principal.id,
        actor=principal.actor,
        operator_id=principal.operator_id,
        scopes=sorted(principal.scopes),
        role=principal.role,
        editions=None if principal.editions is None else sorted(principal.editions),
        expires_at=principal.expires_at,
        actions=sorted(principal.actions),
        sees=principal.sight.name.lower(),
    )
