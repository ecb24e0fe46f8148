"""What somebody writes of themselves before it is a profile."""

from __future__ import annotations

from services.registration.domain.entity import Facts
from shared.internal_api.profile_help import ProfileText


class ProfileTextFacts(Facts):
    """A free text, in any language, that is to become a profile."""

    text: ProfileText
