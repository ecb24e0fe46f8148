"""A free text from which a profile is suggested."""

from __future__ import annotations

from services.registration.domain.entity import Facts
from shared.internal_api.profile_help import ProfileText


class ProfileTextFacts(Facts):
    """A free text, in any language, from which a profile is suggested."""

    text: ProfileText
