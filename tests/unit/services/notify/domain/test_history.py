from __future__ import annotations

from datetime import timedelta

from services.notify.domain.changes import Change
from services.notify.domain.decide import decide
from services.notify.domain.history import steps_of
from services.notify.domain.state import Audience
from shared.contract.events import Event, Phase, Status
from shared.storage.history import PastEntry
from tests.support.notify_stage import NOW, agenda, edition, encounter, everybody, participant


def past_of(*batches: list[Event]) -> list[PastEntry[Change]]:
    """The journal entries of these batches, a minute apart."""
    state, entries = Audience(edition_id="edn_1"), []
    for seq, events in enumerate(batches, start=1):
        changes, _ = decide(state, events, NOW)
        entries.append(PastEntry(seq, NOW + timedelta(minutes=seq), {"agenda.v1/0": seq}, tuple(changes)))
    return entries


def test_the_past_of_a_participant_has_agendas_contacts_and_versions() -> None:
    past = past_of(
        [*everybody(), agenda(1, encounter(0, 1))],
        [participant(3, 2, name="Ana")],
        [edition(2, phase=Phase.LIVE)],
        [edition(3, timezone="Atlantic/Canary")],
        [participant(0, 2, status=Status.CANCELLED), agenda(2)],
    )
    steps = list(steps_of("prt_0", past))
    assert [(step.entry, step.what) for step in steps] == [
        ("notify:1", "edition revision 1; participant revision 1; agenda revision 1 (entries: 1); version 1 wanted"),
        ("notify:4", "edition revision 3; version 2 wanted"),
        ("notify:5", "participant revision 2, cancelled; agenda revision 2 (entries: 0); version 3 wanted"),
    ]
    assert [step.inputs for step in steps] == ["agenda.v1/0@1", "agenda.v1/0@4", "agenda.v1/0@5"]


def test_the_past_of_an_unknown_participant_is_empty() -> None:
    assert list(steps_of("prt_9", past_of(everybody()))) == []
