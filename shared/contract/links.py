"""Signed links of participants: `L1.<payload>.<mac>`, in which the holder can change nothing.

A link works many times and is stored nowhere. It ends when the participant's `links` counter rises, or when another
person takes the participant's place.
"""

from __future__ import annotations

import binascii
import hashlib
import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from enum import StrEnum

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from shared.contract.ids import Id

_VERSION = "L1"
#: Bytes of the code that authenticates a link (HMAC-SHA256, cut as RFC 2104, 5 allows).
_MAC_BYTES = 20
#: Longest text that is looked at.
_LONGEST = 600


class LinkPurpose(StrEnum):
    """The only use of a link."""

    FEED = "feed"
    PAGE = "page"


class Link(BaseModel):
    """The content of a link.

    `links` is the participant's counter of revocations when the link was signed, `person` the number of the person
    in the place. Links signed before people were numbered have a hash there.
    """

    model_config = ConfigDict(frozen=True)

    purpose: LinkPurpose
    operator_id: Id
    edition_id: Id
    participant_id: Id
    links: int = Field(ge=0)
    person: str = Field(max_length=64)


class BadLink(ValueError):
    """The text is no link that this installation has signed for this purpose."""


class LinkSigner:
    """Signs and reads links with the installation's secret."""

    def __init__(self, secret: str) -> None:
        self._key = hashlib.sha256(secret.encode()).digest()

    def sign(self, link: Link) -> str:
        """Return the text of a link: letters, digits, `-`, `_` and `.`, the same for the same content."""
        payload = _encoded(orjson.dumps([link.purpose.value, *link.model_dump(exclude={"purpose"}).values()]))
        return f"{_VERSION}.{payload}.{_encoded(self._mac(payload))}"

    def read(self, text: str, purpose: LinkPurpose) -> Link:
        """Return the content of a link.

        Raises:
            BadLink: another signature, another purpose, or no link at all.
        """
        version, _, rest = text[: _LONGEST + 1].partition(".")
        payload, _, mac = rest.partition(".")
        if len(text) > _LONGEST or version != _VERSION or not text.isascii():
            raise BadLink("no link")
        if not hmac.compare_digest(_encoded(self._mac(payload)), mac):
            raise BadLink("the signature does not fit")
        try:
            values = orjson.loads(urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
            link = Link(**dict(zip(Link.model_fields, values, strict=True)))
        except (binascii.Error, ValueError, TypeError, ValidationError) as error:
            raise BadLink("the content does not fit") from error
        if link.purpose is not purpose:
            raise BadLink(f"a link of purpose {link.purpose}")
        return link

    def _mac(self, payload: str) -> bytes:
        return hmac.digest(self._key, f"{_VERSION}.{payload}".encode(), "sha256")[:_MAC_BYTES]


def _encoded(value: bytes) -> str:
    return urlsafe_b64encode(value).rstrip(b"=").decode()
