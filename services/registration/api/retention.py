"""Endpoints of an edition's retention: the time for which its personal data is kept."""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field

from services.registration.api.access import CurrentService, PathId, context_of
from services.registration.api.bodies import body_docs, body_of
from services.registration.api.erasures import KeptData
from services.registration.api.rights import needs
from services.registration.domain.errors import NotFound
from services.registration.retention import RetentionFacts
from services.registration.use_cases.retention import RetentionService, RetentionView
from shared.access import Action

router = APIRouter(prefix="/editions/{edition_id}/retention", tags=["privacy"])


class RetentionReport(BaseModel):
    """The retention of an edition: the time of the anonymisation, and its effects."""

    months: int
    due_at: datetime | None = Field(
        description="Time from which people are erased, 30 days after the warning at least; null: there is no end."
    )
    warned_at: datetime | None = Field(description="Time of the warning; null: it is to come.")
    anonymised_at: datetime | None = Field(description="Time at which the last party was erased; null: not yet.")
    participants: int = Field(description="Participants that are not erased.")
    organisations: int = Field(description="Organisations that are not erased.")
    goes: list[KeptData] = Field(description="Places that are emptied: see `docs/privacy.md`.")
    stays: list[KeptData] = Field(description="Places that keep ids, which name nobody any more.")

    @classmethod
    def of(cls, view: RetentionView) -> RetentionReport:
        """Return the report of a retention."""
        participants, organisations = view.left
        return cls(
            months=view.retention.months,
            due_at=view.retention.due_at(view.edition),
            warned_at=view.retention.warned_at,
            anonymised_at=view.retention.anonymised_at,
            participants=participants,
            organisations=organisations,
            goes=KeptData.listed(goes=True),
            stays=KeptData.listed(goes=False),
        )


async def _retention_service(request: Request, service: CurrentService) -> RetentionService:
    return RetentionService(service, context_of(request).retentions)


CurrentRetention = Annotated[RetentionService, Depends(_retention_service)]


@router.get("")
@needs(Action.READ_EDITIONS)
async def get_retention(retentions: CurrentRetention, edition_id: PathId) -> RetentionReport:
    """Return the retention of an edition, with the people whom the anonymisation would erase: its dry run.

    404 if the personal data of the edition is kept until it is erased.
    """
    view = await retentions.view(edition_id)
    if view is None:
        raise NotFound("the edition has no retention: its personal data is kept until it is erased")
    return RetentionReport.of(view)


@router.put("", openapi_extra=body_docs(RetentionFacts))
@needs(Action.ERASE_PERSON)
async def put_retention(
    retentions: CurrentRetention, edition_id: PathId, facts: Annotated[RetentionFacts, body_of(RetentionFacts)]
) -> RetentionReport:
    """Have all people and organisations of the edition erased some months after its end.

    30 days before, `warned_at` is set. A repeated request changes nothing.
    """
    await retentions.put(edition_id, facts)
    return await get_retention(retentions, edition_id)


@router.delete("", status_code=HTTPStatus.NO_CONTENT)
@needs(Action.ERASE_PERSON)
async def delete_retention(retentions: CurrentRetention, edition_id: PathId) -> Response:
    """Keep the personal data of the edition until it is erased. A repeated request changes nothing."""
    await retentions.remove(edition_id)
    return Response(status_code=HTTPStatus.NO_CONTENT)
