"""What registration asks matching of a profile that somebody is writing, and what it is answered."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

#: The most characters of a question: a profile in full, ten needs and ten offers of 1,000 each, is taken.
LONGEST_TEXT = 20_000

ProfileText = Annotated[str, StringConstraints(max_length=LONGEST_TEXT)]


class ProfileQuestion(BaseModel):
    """What somebody has written of themselves, in any language."""

    text: ProfileText


class SuggestedCode(BaseModel):
    """A code that the text may come under. `score` ranks; it is no probability."""

    code: str
    labels: dict[str, str] = Field(description="By language.")
    score: float = Field(ge=0, le=1)


class Remark(BaseModel):
    """What could be said better: its kind, and the item it is about, null if it is about the whole text."""

    code: str
    item: str | None = None


class ProfileSuggestions(BaseModel):
    """What can be suggested for a profile; of a text that says nothing, nothing is, and the remarks say so."""

    needs: list[str] = []
    offers: list[str] = []
    classes: list[SuggestedCode] = Field(default=[], description="Of NACE Rev. 2, ten at most, best first.")
    kets: list[SuggestedCode] = Field(default=[], description="Key enabling technologies, three at most, best first.")
    remarks: list[Remark] = []
