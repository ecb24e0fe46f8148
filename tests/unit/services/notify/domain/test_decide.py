from __future__ import annotations

from pydantic import TypeAdapter

from services.notify.domain.changes import Change
from services.notify.domain.decide import decide, raise_version_to
from services.notify.domain.evolve import evolve
from services.notify.domain.state import Audience
from services.notify.texts import AudienceTexts
from tests.support.notify_stage import NOW, agenda, audience, encounter, everybody, organisation, participant


def test_a_participant_affected_twice_by_a_batch_gets_one_delivery() -> None:
    events = [*everybody(), agenda(1, encounter(0, 1)), agenda(2, encounter(1, 1)), participant(0, 2, name="Ana")]
    _, [wanted] = decide(Audience(edition_id="edn_1"), events, NOW)
    assert (wanted.participant_id, wanted.version, wanted.agenda_revision) == ("prt_0", 1, 2)
    assert wanted.wanted_at == NOW


def test_a_known_revision_changes_nothing_and_wants_nothing() -> None:
    events = [*everybody(), agenda(1, encounter(0, 1))]
    assert decide(audience(*events), events, NOW) == ([], [])


def test_a_provisional_agenda_is_not_recorded() -> None:
    state = audience(*everybody())
    assert decide(state, [agenda(2, encounter(0, 1), provisional=True)], NOW) == ([], [])


def test_the_changes_replayed_through_json_give_the_same_audience() -> None:
    state = Audience(edition_id="edn_1")
    changes, _ = decide(state, [*everybody(), agenda(1, encounter(0, 1))], NOW)
    adapter: TypeAdapter[Change] = TypeAdapter(Change)
    replayed = Audience(edition_id="edn_1")
    for change in changes:
        evolve(replayed, adapter.validate_python(adapter.dump_python(change, mode="json")))
    loaded = Audience.model_validate_json(state.model_dump_json())
    assert replayed == loaded
    assert "example.org" not in state.model_dump_json()
    for read in (replayed, loaded):
        AudienceTexts().join(read, AudienceTexts().texts_of(state))
        assert read == state


def test_another_guest_and_a_guest_s_organisation_are_mailed() -> None:
    state = audience(*everybody(), agenda(1, encounter(0, 1, 2, 7)))
    for event in (participant(2, 2, name="Ana", email="ana@example.org"), organisation(7), participant(7)):
        _, wanted = decide(state, [event], NOW)
        assert [delivery.participant_id for delivery in wanted] == ["prt_0"]


def test_a_version_reached_is_not_raised_again() -> None:
    state = audience(*everybody(), agenda(1, encounter(0, 1)))
    assert raise_version_to(state, "prt_0", 1) == []
    assert len(raise_version_to(state, "prt_0", 3)) == 1
    assert state.versions["prt_0"] == 3


def test_a_delivery_knows_the_earliest_start_of_a_changed_line() -> None:
    first, second = encounter(0, 1), encounter(1, 2)
    state = audience(*everybody(), agenda(1, first, second))
    moved = second.model_copy(update={"table": "9", "sequence": 7})
    events = [agenda(2, first.model_copy(update={"sequence": 7}), moved)]
    _, [wanted] = decide(state, events, NOW)
    assert wanted.soonest == second.starts_at
    state = audience(*everybody(), agenda(1, first, second))
    _, [wanted] = decide(state, [agenda(2)], first.ends_at)
    assert wanted.soonest == second.starts_at  # the first encounter is over
    state = audience(*everybody(), agenda(1, first))
    _, [wanted] = decide(state, [participant(0, 2, email="b@c.de")], NOW)
    assert wanted.soonest is None
