from __future__ import annotations

import json
from pathlib import Path

from demo.agendas import agendas_by_address, write_agendas
from demo.observer import Observed
from shared.contract.events import AgendaChanged, EntryKind, ParticipantChanged


def test_each_address_has_the_entries_of_its_agenda(seen_small: Observed, tmp_path: Path) -> None:
    agendas, people = seen_small.all(AgendaChanged), seen_small.all(ParticipantChanged)
    write_agendas(
        tmp_path / "agendas.json", agendas_by_address(agendas, people, ["left@example.org"], "tertulia.example")
    )
    rows = json.loads((tmp_path / "agendas.json").read_text(encoding="utf-8"))
    assert rows.keys() == {person.email for person in people.values()} | {"left@example.org"}
    assert rows["left@example.org"] == []
    participant_id, agenda = max(agendas.items(), key=lambda item: len(item[1].entries))
    own = rows[people[participant_id].email]
    assert [row["table"] for row in own] == [entry.table for entry in agenda.entries]
    assert {row["uid"] for row in own if row["uid"].startswith("enc_")} == {
        f"{entry.entry_id}@tertulia.example" for entry in agenda.entries if entry.kind is EntryKind.ENCOUNTER
    }
