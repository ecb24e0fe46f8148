"""Endpoints of an operator's staff accounts, for its owners."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel

from services.registration.api.access import CurrentPrincipal, CurrentService, IfMatch, PathId, context_of, staff_of
from services.registration.api.bodies import PatchBody, body_docs, body_of, patch_docs
from services.registration.api.keys import must_have_editions
from services.registration.api.rights import needs
from services.registration.domain.parsing import apply_patch
from services.registration.staff.accounts import StaffFacts, StaffMember
from services.registration.staff.use_cases import StaffService
from services.registration.unit_of_work import must_match
from shared.access import Action

router = APIRouter(prefix="/staff", tags=["access"])


async def _staff(request: Request, principal: CurrentPrincipal, _: CurrentService) -> StaffService:
    return StaffService(staff_of(request), principal.operator_id, principal.actor, context_of(request).clock)


CurrentStaff = Annotated[StaffService, Depends(_staff)]


class StaffList(BaseModel):
    """The staff accounts of the operator, oldest first."""

    items: list[StaffMember]


@router.post("", status_code=201, response_model=StaffMember, openapi_extra=body_docs(StaffFacts))
@needs(Action.MANAGE_STAFF)
async def create_staff(
    service: CurrentService, staff: CurrentStaff, facts: Annotated[StaffFacts, body_of(StaffFacts)]
) -> Response:
    """Add a staff account. Its holder signs in by a link that is mailed to its address."""
    await must_have_editions(service, facts.editions)
    return _reply(await staff.create(facts), 201)


@router.get("")
@needs(Action.MANAGE_STAFF)
async def list_staff(staff: CurrentStaff) -> StaffList:
    """List the staff accounts of the operator, also disabled accounts: at most 500."""
    return StaffList(items=[*await staff.list_staff()])


@router.get("/{staff_id}", response_model=StaffMember)
@needs(Action.MANAGE_STAFF)
async def get_staff(staff: CurrentStaff, staff_id: PathId) -> Response:
    """Return a staff account."""
    return _reply(await staff.get(staff_id), 200)


@router.patch("/{staff_id}", response_model=StaffMember, openapi_extra=patch_docs(StaffFacts))
@needs(Action.MANAGE_STAFF)
async def change_staff(
    request: Request,
    service: CurrentService,
    staff: CurrentStaff,
    principal: CurrentPrincipal,
    staff_id: PathId,
    patch: PatchBody,
    revisions: IfMatch = None,
) -> Response:
    """Change a staff account, or disable it: its sessions end then, here at once, everywhere within five seconds."""

    def change(member: StaffMember) -> StaffFacts:
        must_match(member, revisions)
        return apply_patch(member, StaffFacts, patch)

    if "editions" in patch:
        await must_have_editions(service, patch["editions"])
    changed = await staff.change(staff_id, change)
    await context_of(request).authenticator.read_again(principal.operator_id)
    return _reply(changed, 200)


def _reply(member: StaffMember, status: int) -> Response:
    headers = {"ETag": f'"{member.revision}"', "Cache-Control": "no-store"}
    return Response(member.model_dump_json(), status, headers, media_type="application/json")
