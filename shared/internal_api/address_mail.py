"""Mails about a new address of a participant: registration asks notify to send them. They are on no topic."""

from __future__ import annotations

from enum import StrEnum

from pydantic import BaseModel, Field

from shared.contract.events import Language

#: The path of the request at notify, without `/internal`.
ADDRESS_MAIL = "/mails/address"


class AddressMailKind(StrEnum):
    """The purpose of a mail about a new address."""

    #: To the new address: the link that confirms it.
    CONFIRM = "confirm"
    #: To the present address: a new address was asked for.
    TELL = "tell"


class AddressMail(BaseModel):
    """A mail about a new address of a participant. Only a mail that asks for the confirmation has a link."""

    kind: AddressMailKind
    email: str = Field(min_length=3, max_length=254)
    name: str = Field(max_length=200)
    language: Language
    edition: str = Field(max_length=200, description="Name of the edition.")
    link: str = Field(default="", max_length=2000, description="The address that the link leads to, with its secret.")
    hours: int = Field(ge=1, le=720, description="Life of the link.")
