"""The mapping that a request gives: the field of a heading that no alias knows."""

from __future__ import annotations

import json

from services.registration.domain.errors import FieldError, Invalid
from services.registration.import_files.vocabulary import VOCABULARIES

_MOST_COLUMNS = 200
_LONGEST_HEADING = 200


def mapping_of(text: str, kind: str) -> dict[str, str]:
    """Read a mapping: a JSON object of fields by heading, or by column letter. An empty field ignores a column.

    Raises:
        Invalid: not such an object, or a field that this kind of list does not have.
    """
    try:
        mapping = json.loads(text)
    except ValueError:
        mapping = None
    if not isinstance(mapping, dict) or not all(isinstance(name, str) for name in mapping.values()):
        raise _refusal('write a JSON object, such as {"Stand del expositor": "booth"}')
    if len(mapping) > _MOST_COLUMNS or any(len(heading) > _LONGEST_HEADING for heading in mapping):
        raise _refusal(f"at most {_MOST_COLUMNS} headings of {_LONGEST_HEADING} characters are taken")
    known = [names.name for names in VOCABULARIES[kind].fields]
    unknown = sorted(set(mapping.values()) - {*known, ""})
    if unknown:
        raise _refusal(f"{unknown[0][:50]!r} is no field of this list; there are {', '.join(known)}")
    return mapping


def _refusal(reason: str) -> Invalid:
    return Invalid(FieldError("mapping", reason))
