"""Parts that every page needs: the read model, the signed-in person, and the writer of the page."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from fastapi import Depends, Request

from services.portal.domain.picture import EditionPicture
from services.portal.pages.writer import TemplateWriter
from services.portal.registration import RegistrationProxy
from services.portal.service import ReadModel
from services.portal.settings import Settings
from services.portal.stream import Nudges
from services.portal.visitors import Visitor, Visitors
from shared.access import PrincipalKind

#: Cookie of a participant: the link of the person's mails.
PERSON_COOKIE: Final = "tertulia_person"
#: Cookie of staff: the secret of the session.
STAFF_COOKIE: Final = "tertulia_staff"


class NotSignedIn(Exception):
    """The page is for signed-in people; the message says how to get there."""


class NoSuchPage(Exception):
    """There is no such page, or it is not for this person."""


@dataclass(frozen=True)
class PortalContext:
    """The parts of the portal that pages use."""

    settings: Settings
    read_model: ReadModel
    nudges: Nudges
    registration: RegistrationProxy
    visitors: Visitors
    writer: TemplateWriter
    clock: Callable[[], datetime]


def context_of(request: Request) -> PortalContext:
    """Return the context of the application."""
    context: PortalContext = request.app.state.context
    return context


async def person_of(request: Request) -> Visitor:
    """Return the signed-in participant.

    Raises:
        NotSignedIn: there is no cookie, or its link has ended.
    """
    visitor = await context_of(request).visitors.find(request.cookies.get(PERSON_COOKIE, ""))
    if visitor is None or visitor.kind is not PrincipalKind.PARTICIPANT:
        raise NotSignedIn("person")
    return visitor


async def staff_of(request: Request) -> Visitor:
    """Return the signed-in member of staff.

    Raises:
        NotSignedIn: there is no cookie, or its session has ended.
    """
    visitor = await context_of(request).visitors.find(request.cookies.get(STAFF_COOKIE, ""))
    if visitor is None or visitor.kind is PrincipalKind.PARTICIPANT:
        raise NotSignedIn("staff")
    return visitor


async def picture_for(request: Request, visitor: Visitor, edition_id: str) -> EditionPicture:
    """Return the picture of an edition that the visitor may see.

    Raises:
        NoSuchPage: the edition is unknown, or of another operator, or not among the visitor's.
    """
    is_visible = visitor.editions is None or edition_id in visitor.editions
    if not is_visible:
        raise NoSuchPage(edition_id)
    picture = await context_of(request).read_model.picture(edition_id)
    if picture.edition is None or picture.edition.operator_id != visitor.operator_id:
        raise NoSuchPage(edition_id)
    return picture


Person = Annotated[Visitor, Depends(person_of)]
Staff = Annotated[Visitor, Depends(staff_of)]
