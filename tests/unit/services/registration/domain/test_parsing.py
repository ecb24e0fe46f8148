"""Faults of a body name its wrong members, and no list that is short for their sake."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic_core import to_json

from services.registration.domain.edition import EditionFacts
from services.registration.domain.errors import Invalid
from services.registration.domain.parsing import parse_facts
from tests.support.registration_api import edition_body

DAY = {"date": "2026-11-26", "starts": "09:00", "ends": "12:00"}


@pytest.mark.parametrize(
    ("fields", "pointers"),
    [
        ({"days": [DAY | {"ends": "24:00"}]}, ["/days/0/ends"]),
        ({"days": [DAY | {"starts": "13:00"}]}, ["/days/0"]),
        ({"days": []}, ["/days"]),
    ],
)
def test_a_list_is_not_short_for_its_faulty_members(fields: dict[str, Any], pointers: list[str]) -> None:
    with pytest.raises(Invalid) as refused:
        parse_facts(EditionFacts, to_json(edition_body(**fields)))
    assert [fault.pointer for fault in refused.value.faults] == pointers
