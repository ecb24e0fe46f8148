"""The endpoint of profile help. Matching answers it; nothing is kept of what was asked."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter

from services.registration.api.access import CurrentService, MatchingClient
from services.registration.api.bodies import body_docs, body_of
from services.registration.domain.profile_text import ProfileTextFacts
from shared.internal_api.profile_help import ProfileSuggestions

router = APIRouter(prefix="/profile-help", tags=["profile help"])


@router.post("", openapi_extra=body_docs(ProfileTextFacts))
async def help_with_profile(
    _: CurrentService, matching: MatchingClient, asked: Annotated[ProfileTextFacts, body_of(ProfileTextFacts)]
) -> ProfileSuggestions:
    """Take a free text apart into needs and offers, suggest codes for it, and say what in it is vague.

    Changes nothing. Texts in any of sixteen languages are understood; whoever writes should confirm what is suggested.
    """
    return ProfileSuggestions.model_validate(await matching.post("/profile-help", dict(asked)))
