"""Profile help: questions to matching about a profile that a participant is writing, and its suggestions."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

#: Most characters of a question: enough for a full profile of ten needs and ten offers of 1,000 characters.
LONGEST_TEXT = 20_000

ProfileText = Annotated[str, StringConstraints(max_length=LONGEST_TEXT)]


class ProfileQuestion(BaseModel):
    """The text of a profile, in any language."""

    text: ProfileText


class SuggestedCode(BaseModel):
    """A code that may fit the text. `score` ranks codes; it is not a probability."""

    code: str
    labels: dict[str, str] = Field(description="By language.")
    score: float = Field(ge=0, le=1)


class Remark(BaseModel):
    """A remark on a weakness of the text: its kind, and the item concerned, null for the whole text."""

    code: str
    item: str | None = None


class ProfileSuggestions(BaseModel):
    """Suggestions for a profile. A text without content gets no suggestion, only remarks."""

    needs: list[str] = []
    offers: list[str] = []
    classes: list[SuggestedCode] = Field(default=[], description="Codes of NACE Rev. 2, ten at most, best first.")
    kets: list[SuggestedCode] = Field(default=[], description="Key enabling technologies, three at most, best first.")
    remarks: list[Remark] = []
