"""The mail with a sign-in link: registration asks notify to send it. It is on no topic and in no store."""

from __future__ import annotations

from pydantic import BaseModel, Field

from shared.contract.events import Language

#: The path of the request at notify, without `/internal`.
SIGN_IN_MAIL = "/mails/sign-in"


class SignInMail(BaseModel):
    """A sign-in link for a member of an operator's staff."""

    email: str = Field(min_length=3, max_length=254)
    name: str = Field(max_length=200)
    language: Language
    link: str = Field(min_length=1, max_length=2000, description="The address that the link leads to, with its secret.")
    minutes: int = Field(ge=1, le=1440, description="Life of the link.")


class MailHandedOver(BaseModel):
    """The mail server has taken a mail."""

    handed_over: bool = True
