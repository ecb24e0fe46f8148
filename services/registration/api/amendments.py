"""Endpoints of amendments: the changes of facts of the last seven days, and their undoing."""

from __future__ import annotations

from collections.abc import Sequence

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field

from services.registration.amendments import LIST, Amendment, ListCounts
from services.registration.api.access import After, CurrentAmendments, Gate, Limit, PathId, context_of
from services.registration.api.replies import Tried, WarningView, amendment_header, tried
from services.registration.api.rights import needs
from services.registration.change_gate import ChangeGate
from services.registration.domain.errors import FieldError
from services.registration.use_cases.amendments import AmendmentService
from shared.access import Action
from shared.contract.ids import Id

#: Places of a list that could not be undone and are listed.
_MOST_LEFT = 500

router = APIRouter(prefix="/editions/{edition_id}/amendments", tags=["amendments"])


class AmendmentPage(BaseModel):
    """A page of amendments, oldest first."""

    items: list[Amendment]
    next: str | None = Field(description="The value of `after` for the next page; null on the last page.")


class UndoneAmendment(BaseModel):
    """The result of undoing an amendment. After a list, `entity_id` and `revision` are those of the edition."""

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


class UndoneList(UndoneAmendment):
    """The result of undoing an imported list."""

    undone: int = Field(description="Number of entities that were changed.")
    left_count: int = Field(description="Number of all places that were left; `left` lists the first.")


@router.post("/{amendment_id}/undo")
@needs(Action.UNDO)
async def undo_amendment(
    request: Request,
    response: Response,
    amendments: CurrentAmendments,
    edition_id: PathId,
    amendment_id: PathId,
    gate: Gate,
) -> UndoneList | UndoneAmendment | TriedUndoing:
    """Give an entity the fields of before a change, as a further change with a preview of its own.

    Fields, members of lists and tables that have changed since are left, and named in `left`. An undone change can be
    undone as well. A repeated request changes nothing.

    The undoing of an import cancels the new and the reinstated parties of the list, withdraws its match requests, and
    gives all changed fields their former values, the names and addresses of persons included.
    """
    amendment = await amendments.get(edition_id, amendment_id)
    gate.undoes = amendment.amendment_id
    if amendment.kind == LIST:
        done = await _undo_list(request, amendments, amendment, gate)
        response.headers.update(amendment_header(gate))
        return done
    undoing = await amendments.undo(amendment)
    left = [*map(WarningView.of, undoing.left)]
    if gate.dry_run:
        return TriedUndoing(**dict(tried(gate, undoing.entity)), left=left)
    response.headers.update(amendment_header(gate))
    return UndoneAmendment(
        kind=amendment.kind, entity_id=undoing.entity.id, revision=undoing.entity.revision, left=left
    )


async def _undo_list(
    request: Request, amendments: AmendmentService, amendment: Amendment, gate: ChangeGate
) -> UndoneList | TriedUndoing:
    imports, unit = context_of(request).imports, amendments.service.unit_of_work
    operator_id = unit.repository.operator_id
    with imports.admitted(operator_id):
        edition, undoing = await amendments.undoing_of_list(amendment)
        content = (amendment.amendment_id, undoing.bases)
        if not await gate.admits_list(edition, undoing.steps, content, lambda _, preview: preview):
            return TriedUndoing(token=gate.looked_at[0], preview=gate.looked_at[1], left=_first(undoing.left))
        assert amendment.rows is not None  # noqa: S101 - a list has its counts
        counts = ListCounts(list=amendment.rows.list, created=0, changed=len(undoing.rows), reinstated=0)
        planned = len(undoing.left)
        async with gate.amends_list(edition, counts, unit.clock()):
            await undoing.write(imports.slices, operator_id)
    return UndoneList(
        kind=LIST,
        entity_id=edition.edition_id,
        revision=edition.revision,
        undone=len(undoing.rows) - (len(undoing.left) - planned),
        left=_first(undoing.left),
        left_count=len(undoing.left),
    )


def _first(left: Sequence[FieldError]) -> list[WarningView]:
    return [*map(WarningView.of, left[:_MOST_LEFT])]
