"""The endpoint that tells the progress of an import."""

from __future__ import annotations

from typing import Literal

from fastapi import APIRouter, Request
from pydantic import BaseModel, Field

from services.registration.api.access import CurrentService, PathId, context_of
from services.registration.api.rights import needs
from shared.access import Action

router = APIRouter(prefix="/editions/{edition_id}/imports", tags=["imports"])


class ProgressView(BaseModel):
    """The progress of an import, step by step: a list is read, planned as a whole, then written."""

    running: bool = Field(description="False: the process that answers runs no import of the operator's.")
    list: str | None = None
    step: Literal["reading", "planning", "writing"] | None = None
    percent: int = Field(default=0, ge=0, le=100, description="Share of the step that is done.")


@router.get("/progress", response_model=ProgressView)
@needs(Action.IMPORT)
async def progress(request: Request, service: CurrentService, edition_id: PathId) -> ProgressView:
    """Return the progress of the operator's import into an edition, as far as this process of registration runs it."""
    await service.editions.get(edition_id)
    operator_id = service.unit_of_work.repository.operator_id
    found = context_of(request).imports.running(operator_id, edition_id)
    if found is None:
        return ProgressView(running=False)
    return ProgressView(running=True, list=found.list, step=found.step, percent=min(found.percent, 100))
