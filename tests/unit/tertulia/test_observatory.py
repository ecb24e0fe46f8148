from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from services.matching.domain.changes import OrganisationRecorded, ParticipantRecorded
from services.matching.domain.snapshots import OrganisationSnapshot, ParticipantSnapshot
from shared.contract.events import Profile
from shared.runtime.clock import utc_now
from shared.storage.journal_entry import Entry
from tertulia import connections, journals
from tertulia.cli import app


class Store:
    """A journal of one edition: an organisation, and who represents it."""

    def __init__(self, _: Any) -> None: ...

    async def entries(self, edition_id: str, after: int) -> list[Entry]:
        if edition_id != "ed1":
            return []
        organisation = OrganisationSnapshot(
            revision=1, kind="sme", country="ES", codes=("nace:25.62",), status="active"
        )
        person = ParticipantSnapshot(
            revision=1, organisation_id="org_a", languages=("es",), profile=Profile(), status="active"
        )
        changes = [
            OrganisationRecorded(organisation_id="org_a", organisation=organisation),
            ParticipantRecorded(participant_id="prt_a", participant=person),
        ]
        return [
            Entry("ed1", 1 + after, utc_now(), {}, [change.model_dump(mode="json") for change in changes], [], True)
        ]


@pytest.fixture(autouse=True)
def _journal(monkeypatch: pytest.MonkeyPatch) -> None:
    async def answers(*_: object) -> None: ...

    monkeypatch.setattr(connections, "check", answers)
    monkeypatch.setattr(journals, "MongoJournalStore", Store)


def test_an_edition_is_exported_from_its_journal(tmp_path: Path) -> None:
    shown = CliRunner().invoke(app, ["observatory", "export", "ed1"])
    assert shown.exit_code == 0, shown.output
    assert json.loads(shown.stdout)["organisations"][0]["codes"] == ["nace:25.62"]
    file = tmp_path / "graph.graphml"
    done = CliRunner().invoke(app, ["observatory", "export", "ed1", "--format", "graphml", "--output", str(file)])
    assert done.exit_code == 0, done.output
    assert b'<node id="prt_a">' in file.read_bytes()


def test_an_edition_without_a_journal_is_an_error(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["observatory", "export", "ed2", "--output", str(tmp_path / "none")])
    assert done.exit_code == 1
    assert not (tmp_path / "none").exists()
