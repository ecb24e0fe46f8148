"""Forms: their bounds, and the proof that the form was on a page of ours."""

from __future__ import annotations

import hmac
from typing import Final
from urllib.parse import parse_qsl

from starlette.requests import Request

from services.portal.visitors import Visitor

_LARGEST_FORM: Final = 256 * 1024
_MOST_FIELDS: Final = 2000


class FormRefused(Exception):
    """The form did not come from a page of this visitor, or is too large."""


class FormFields(dict[str, str]):
    """The fields of a form by name; `every` has all values of a name, as of ticked boxes."""

    every: dict[str, list[str]]

    def lines(self, name: str) -> list[str]:
        """Return the lines of a text field that are not empty."""
        return [line.strip() for line in self.get(name, "").splitlines() if line.strip()]


async def checked_form(request: Request, visitor: Visitor) -> FormFields:
    """Return the fields of a form by name; of repeated fields the last.

    Raises:
        FormRefused: the form lacks the visitor's token, or is too large.
    """
    read = bytearray()
    async for chunk in request.stream():
        read += chunk
        if len(read) > _LARGEST_FORM:
            raise FormRefused("the form is too large")
    try:
        pairs = parse_qsl(read.decode(), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except (UnicodeDecodeError, ValueError) as error:
        raise FormRefused("the form cannot be read") from error
    fields = FormFields(pairs)
    fields.every = {}
    for name, value in pairs:
        fields.every.setdefault(name, []).append(value)
    if not hmac.compare_digest(fields.pop("token", "").encode(), visitor.form_token.encode()):
        raise FormRefused("the form is from another page: open the page again")
    return fields
