"""Lists of many kinds with the same people in them are read as the same people."""

from __future__ import annotations

import pytest

from services.registration.domain.edition import Edition
from services.registration.import_files.sheet import SheetRow
from services.registration.import_files.vocabulary import PARTICIPANTS
from services.registration.imports.rows import ListDefaults, read_participant
from tests.support.lists import lines_of, read_list
from tests.support.odd_lists import odd_list
from tests.support.registration_api import edition_body

STAMP = {
    "operator_id": "o",
    "edition_id": "e",
    "created_at": "2026-01-01T00:00:00Z",
    "changed_at": "2026-01-01T00:00:00Z",
}
EDITION = Edition.stored(edition_body() | STAMP)


@pytest.mark.parametrize("seed", range(30))
def test_a_list_of_any_kind_gives_the_people_in_it(seed: int) -> None:
    odd = odd_list(seed)
    sheet = read_list(odd.raw, PARTICIPANTS)
    defaults = ListDefaults("es", "ES").of_table(sheet.found)
    read = {}
    for row in lines_of(sheet):
        assert isinstance(row, SheetRow), row
        person = read_participant(row, defaults, EDITION)
        assert person.organisation
        company, country = person.organisation.patch["name"], person.organisation.patch["country"]
        patch = person.patch
        read[row.line] = (company, patch["name"], patch["email"], country, patch["languages"], patch["external_id"])
        assert not patch.get("job_title")
    assert read == odd.people
    assert sheet.found.hidden_lines == odd.hidden
