from __future__ import annotations

from datetime import UTC, datetime

from demo.observer import Observed
from demo.plan import DemoEdition
from shared.contract.events import (
    AgendaChanged,
    Channel,
    DeliveryState,
    EncounterChanged,
    EncounterState,
    MatchRequestChanged,
    NotificationRecorded,
    RequestState,
    WaitingReason,
)

COMMON = {"operator_id": "demo", "edition_id": "edn_demo", "occurred_at": datetime(2026, 11, 1, tzinfo=UTC)}


def request(revision: int, state: RequestState) -> MatchRequestChanged:
    return MatchRequestChanged(
        **COMMON, revision=revision, request_id="req_1", requester_id="a", target_id="b", state=state
    )


def notification(
    participant_id: str, revision: int, agenda_revision: int, state: DeliveryState
) -> NotificationRecorded:
    return NotificationRecorded(
        **COMMON,
        revision=revision,
        participant_id=participant_id,
        channel=Channel.EMAIL,
        agenda_revision=agenda_revision,
        state=state,
    )


def test_the_newest_revision_is_kept_in_any_order() -> None:
    seen = Observed()
    for event in (
        request(2, RequestState.ACCEPTED),
        request(1, RequestState.REQUESTED),
        request(2, RequestState.ACCEPTED),
    ):
        seen.record(event, 0)
    assert seen.all(MatchRequestChanged)["req_1"].state is RequestState.ACCEPTED


def test_every_placed_pair_of_the_edition_has_its_time_to_publish(seen_small: Observed, small: DemoEdition) -> None:
    waits = seen_small.seconds_to_publish()
    assert len(waits) == len(seen_small.placed()) == len(small.accepted)
    assert waits == sorted(waits)
    assert all(wait >= 0 for wait in waits)


def test_a_granted_pair_is_unanswered_until_it_is_placed_or_waits(small: DemoEdition, seen_small: Observed) -> None:
    seen = Observed()
    for pair in seen_small.granted():
        seen.record(pair, 0)
    assert len(seen.unanswered_pairs()) == len(small.accepted)
    for encounter in seen_small.all(EncounterChanged).values():
        waiting = {"state": EncounterState.WAITING, "place": None, "waiting_reason": WaitingReason.NO_TABLE}
        seen.record(encounter.model_copy(update=waiting), 0)
    assert not seen.unanswered_pairs()
    assert len(seen.waiting()) == len(small.accepted)


def test_an_agenda_is_unnotified_until_its_newest_revision_is_mailed(seen_small: Observed) -> None:
    seen = Observed()
    agenda = next(iter(seen_small.all(AgendaChanged).values())).model_copy(update={"revision": 3})
    participant_id = agenda.participant_id
    seen.record(agenda, 0)
    assert [agenda.participant_id for agenda in seen.unnotified()] == [participant_id]
    seen.record(notification(participant_id, 1, 2, DeliveryState.SENT), 0)
    assert seen.unnotified()
    seen.record(notification(participant_id, 2, 3, DeliveryState.FAILED), 0)
    assert seen.unnotified()
    seen.record(notification(participant_id, 3, 3, DeliveryState.SENT), 0)
    assert not seen.unnotified()
    assert seen.mails == 2


def test_provisional_agendas_are_not_announced(seen_small: Observed) -> None:
    seen = Observed()
    agenda = next(iter(seen_small.all(AgendaChanged).values()))
    seen.record(agenda.model_copy(update={"provisional": True}), 0)
    assert not seen.announced()
    assert not seen.unnotified()
