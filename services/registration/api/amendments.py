"""Endpoints of amendments: the changes of facts of the last seven days, and their undoing."""

from __future__ import annotations

from fastapi import APIRouter
from pydantic import BaseModel, Field

from services.registration.amendments import Amendment
from services.registration.api.access import After, CurrentAmendments, Gate, Limit, PathId
from services.registration.api.replies import Tried, WarningView, tried
from services.registration.api.rights import needs
from shared.access import Action
from shared.contract.ids import Id

router = APIRouter(prefix="/editions/{edition_id}/amendments", tags=["amendments"])


class AmendmentPage(BaseModel):
    """A page of amendments, oldest first."""

    items: list[Amendment]
    next: str | None = Field(description="The value of `after` for the next page; null on the last page.")


class UndoneAmendment(BaseModel):
    """The result of undoing an amendment."""

    kind: str
    entity_id: Id
    revision: int = Field(description="The revision of the entity after it.")
    left: list[WarningView] = Field(description="Places that have changed since the amendment, and were left.")


class TriedUndoing(Tried):
    """The preview of undoing an amendment."""

    left: list[WarningView] = Field(description="Places that have changed since the amendment, and would be left.")


@router.get("")
@needs(Action.READ_AMENDMENTS)
async def list_amendments(
    amendments: CurrentAmendments, edition_id: PathId, limit: Limit = 100, after: After = None
) -> AmendmentPage:
    """List the changes of the last seven days that may have moved encounters, oldest first."""
    found = await amendments.page(edition_id, after, limit + 1)
    shown = found[:limit]
    return AmendmentPage(items=shown, next=shown[-1].amendment_id if len(found) > limit else None)


@router.post("/{amendment_id}/undo")
@needs(Action.UNDO)
async def undo_amendment(
    amendments: CurrentAmendments, edition_id: PathId, amendment_id: PathId, gate: Gate
) -> UndoneAmendment | TriedUndoing:
    """Give an entity the fields of before a change, as a further change with a preview of its own.

    Fields, members of lists and tables that have changed since are left, and named in `left`. An undone change can be
    undone as well. A repeated request changes nothing.
    """
    amendment = await amendments.get(edition_id, amendment_id)
    gate.undoes = amendment.amendment_id
    undoing = await amendments.undo(amendment)
    left = [*map(WarningView.of, undoing.left)]
    if gate.dry_run:
        return TriedUndoing(**dict(tried(gate, undoing.entity)), left=left)
    return UndoneAmendment(
        kind=amendment.kind, entity_id=undoing.entity.id, revision=undoing.entity.revision, left=left
    )
