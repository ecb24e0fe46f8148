"""The endpoint of profile help, answered by matching. The text is not stored."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from services.registration.api.access import CurrentService, MatchingClient
from services.registration.api.bodies import body_docs, body_of
from services.registration.api.rights import needs
from services.registration.domain.profile_text import ProfileTextFacts
from shared.access import Action
from shared.internal_api.profile_help import ProfileSuggestions

router = APIRouter(prefix="/profile-help", tags=["profile help"])


@router.post("", openapi_extra=body_docs(ProfileTextFacts))
@needs(Action.HELP_WITH_PROFILES)
async def help_with_profile(
    _: CurrentService, matching: MatchingClient, asked: Annotated[ProfileTextFacts, body_of(ProfileTextFacts)]
) -> ProfileSuggestions:
    """Split a free text into needs and offers, suggest codes, and remark on vague passages.

    Changes nothing. Texts in sixteen languages are understood. The author of the text should confirm the suggestions.
    """
    return ProfileSuggestions.model_validate(await matching.post("/profile-help", dict(asked)))
